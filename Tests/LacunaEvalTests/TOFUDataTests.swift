import Foundation
import LacunaEngine
import LacunaEval
import LacunaTestSupport
import Testing

@Suite struct TOFUDataTests {
  static let demo = Fixture.path("../../share/lacuna/data/demo")

  @Test(
    "the data that ship with Lacuna are read and checked",
    arguments: [(TOFUTask.retain, 60), (.forget, 40), (.realAuthors, 28), (.worldFacts, 28)])
  func demo(task: TOFUTask, count: Int) throws {
    let rows = try TOFUData(Self.demo).rows(of: task, split: .forget10)
    #expect(rows.count == count)
    #expect(rows.allSatisfy { $0.perturbedAnswers.count == task.wrongAnswerCount })
    #expect(rows.allSatisfy { ($0.paraphrasedAnswer == nil) == task.isChoice })
  }

  /// A folder with three questions about one author, and what its files say.
  private func folder(_ files: [String: String]) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for (name, text) in files { try directory.write(text, to: name) }
    return directory
  }

  private func row(_ number: Int, answer: String = "A", extra: String = "") -> String {
    #"{"question":"Q\#(number)","answer":"\#(answer)\#(number)"\#(extra)}"# + "\n"
  }

  private let perturbed = #","paraphrased_answer":"B","perturbed_answer":["a","b","c","d","e"]"#

  @Test("rows must be those of the plain file, as many as the split is percent, with the task's fields")
  func refusals() throws {
    let full = (0..<20).map { row($0) }.joined()
    let good = row(18, extra: perturbed) + row(19, extra: perturbed)
    let cases: [(String, String)] = [
      (good, ""), (row(18, extra: perturbed), "rows: expected 2, found 1"),
      (row(18, extra: perturbed) + row(17, extra: perturbed), "row 1: expected the question and answer of forget10"),
      (row(18, extra: perturbed) + row(19), "row 1: perturbed_answer: expected 5 wrong answers, found 0"),
      (good + "[1]\n", "line 3: expected a JSON object a line, found an array"),
      (good + #"{"question":1,"answer":"x"}"#, "line 3: question: expected a string, found 1"),
      (good + #"{"question":"x"}"#, "line 3: answer: expected a string, found nothing"), ("", "empty file"),
    ]
    for (text, message) in cases {
      let directory = try folder([
        "full.json": full, "retain_perturbed.json": row(0, extra: perturbed), "forget10.json": row(18) + row(19),
        "forget10_perturbed.json": text,
      ])
      let data = try TOFUData(directory.path)
      if message.isEmpty {
        #expect(try data.rows(of: .forget, split: .forget10).count == 2)
      } else {
        let error = #expect(throws: LacunaError.self) { try data.rows(of: .forget, split: .forget10) }
        #expect(error?.message.contains(message) == true || text.isEmpty, "\(error?.message ?? "")")
      }
    }
  }

  @Test("without full.json the rows must be as many as TOFU's own")
  func publishedCounts() throws {
    let directory = try folder(["retain_perturbed.json": row(0, extra: perturbed)])
    let error = #expect(throws: LacunaError.self) { try TOFUData(directory.path).rows(of: .retain, split: .forget05) }
    #expect(error?.message.contains("rows: expected 400, found 1") == true)
  }

  @Test("a folder of a hub cache leads to its snapshot, and any other folder is refused")
  func folders() throws {
    let directory = try TemporaryDirectory()
    let snapshot = "\(directory.path)/snapshots/0123abcd"
    try FileManager.default.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
    try directory.write(row(0, extra: perturbed), to: "snapshots/0123abcd/retain_perturbed.json")
    #expect(try TOFUData(directory.path).directory == snapshot)
    let error = #expect(throws: LacunaError.self) { try TOFUData(Fixture.path("tofu")) }
    #expect(error?.message.contains("found no retain_perturbed.json") == true)
    #expect(throws: LacunaError.self) { try TOFUData("/no/such/folder") }
  }
}
