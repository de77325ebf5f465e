import Foundation
import LacunaEngine
import LacunaEval
import LacunaTestSupport
import Testing

@Suite struct PublishedLogTests {
  struct Expected: Decodable {
    struct Task: Decodable {
      let rougeL: Double
      let rouge1: Double
      let probability: Double
      let truthRatio: Double
      let rows: Int

      enum CodingKeys: String, CodingKey {
        case rougeL = "ROUGE"
        case rouge1 = "ROUGE1"
        case probability = "Prob"
        case truthRatio = "TR"
        case rows = "n"
      }
    }
    struct Quality: Decodable {
      let p: Double
      let distance: Double
      let k: Int

      enum CodingKeys: String, CodingKey {
        case p
        case distance = "D"
        case k
      }
    }
    let tasks: [String: Task]
    let modelUtility: Double
    let forgetQuality: Quality

    enum CodingKeys: String, CodingKey {
      case tasks
      case modelUtility = "model_utility"
      case forgetQuality = "forget_quality"
    }
  }

  static func log(_ name: String) throws -> TOFULog { try TOFULog(contentsOf: Fixture.path("tofu/\(name)")) }

  @Test("figures of both published variants are those of scipy and plain arithmetic", arguments: TruthRatio.allCases)
  func figures(_ variant: TruthRatio) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixture.path("tofu/log-figures.json")))
    let expected = try #require(try JSONDecoder().decode([String: Expected].self, from: data)[variant.rawValue])
    var scoring = TOFUScoring()
    scoring.truthRatio = variant
    let log = try Self.log("log-arrays.json")
    let figures = TOFUFigures(log, scoring: scoring)
    for task in TOFUTask.allCases {
      let (found, wanted) = try (#require(figures.tasks[task]), #require(expected.tasks[task.logName]))
      #expect(abs(found.rougeLRecall - wanted.rougeL) < 1e-12 && abs(found.rouge1Recall - wanted.rouge1) < 1e-12)
      #expect(abs(found.probability - wanted.probability) < 1e-12 && found.count == wanted.rows)
      #expect(abs(found.truthRatio - wanted.truthRatio) < 1e-12, "\(task)")
    }
    #expect(abs(try #require(figures.modelUtility) - expected.modelUtility) < 1e-12)
    let quality = try log.forgetQuality(against: try Self.log("log-keyed.json"), scoring: scoring)
    #expect(abs(quality.p - expected.forgetQuality.p) < 1e-12 && quality.k == expected.forgetQuality.k)
    #expect(abs(quality.distance - expected.forgetQuality.distance) < 1e-12 && quality.n == 11 && quality.m == 11)
  }

  @Test("ROUGE of every logged text is what the log says")
  func rouge() throws {
    for row in try Self.log("log-arrays.json").tasks.values.joined() {
      let generated = try #require(row.generated)
      let found = Rouge(target: generated.reference, prediction: generated.text)
      #expect(max(found.rougeLRecall, 0.01) == row.rougeLRecall && max(found.rouge1Recall, 0.01) == row.rouge1Recall)
    }
  }

  @Test("logs over other rows are not compared")
  func misaligned() throws {
    let log = try Self.log("log-arrays.json")
    let reference = try Self.log("log-keyed.json")
    let changes: [(String, (inout TOFURow) -> Void)] = [
      ("rows 1 and 2", { $0.index += 1 }), ("answers of", { $0.perturbed[0].count? += 1 }),
      ("ask", { $0.generated?.prompt += "?" }), ("wrong answers", { $0.perturbed.removeLast() }),
    ]
    for (message, change) in changes {
      var other = reference
      change(&other.tasks[.forget]![1])
      let error = #expect(throws: LacunaError.self) { try log.forgetQuality(against: other) }
      #expect(error?.message.contains(message) == true, "\(message): \(error?.message ?? "")")
    }
    var shorter = reference
    shorter.tasks[.forget]?.removeLast()
    #expect(throws: LacunaError.self) { try log.forgetQuality(against: shorter) }
    shorter.tasks[.forget] = nil
    #expect(throws: LacunaError.self) { try log.forgetQuality(against: shorter) }
  }

  @Test(
    "a log that is none is refused by task and column",
    arguments: [
      ("[]", "an object of tasks"), ("{}", "no members"), (#"{"eval_log_forget.json":3}"#, "an object of columns"),
      (#"{"eval_log_forget.json":{"avg_gt_loss":[]}}"#, "expected rows"),
      (#"{"eval_log_forget.json":{"avg_gt_loss":{"x":1}}}"#, "row numbers"),
      (#"{"eval_log_forget.json":{"avg_gt_loss":{"9223372036854775807":1}}}"#, "from 0 to 10000000"),
      (#"{"eval_log_forget.json":{"avg_gt_loss":[1]}}"#, "avg_paraphrased_loss: expected a column"),
      (#"{"eval_log_forget.json":{"avg_gt_loss":[1],"avg_paraphrased_loss":[1,2]}}"#, "found 2 rows"),
      (#"{"eval_log_forget.json":{"avg_gt_loss":["1"]}}"#, "avg_gt_loss, row 0: expected a number"),
    ])
  func malformed(text: String, message: String) throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write(text, to: "log.json")
    let error = #expect(throws: LacunaError.self) { try TOFULog(contentsOf: path) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test("rows that are mixed up are tested against a log of the same rows, and of others they are not")
  func interleavedQuality() throws {
    let log = try Self.log("log-arrays.json")
    let mixed = TOFUComparison([(.model, "mixed", log)], reference: log, processes: 8).columns[0]
    // The rows as the merge leaves them, against those of the log.
    let order = InterleavedRows.order(count: 11, batch: 7, processes: 8)
    let ratios = TOFUScoring().column(try #require(log.tasks[.forget]))
    let expected = try TwoSampleKS(order.map { ratios[$0] }, ratios)
    #expect(mixed.forgetQuality == expected && expected.k > 0 && mixed.refusal == nil)
    var shorter = log
    shorter.tasks[.forget]?.removeLast()
    let other = TOFUComparison([(.model, "mixed", log)], reference: shorter, processes: 8)
    #expect(other.columns[0].forgetQuality == nil && other.columns[0].figures.modelUtility != nil)
    #expect(other.columns[0].refusal?.message.contains("11 and 10 rows") == true && other.notes.count == 1)
  }

  @Test("a log without texts is compared, and one that asks something else is refused by row")
  func textlessDifference() throws {
    let log = try Self.log("log-arrays.json")
    var (textless, other) = (log, log)
    for task in TOFUTask.allCases {
      for row in log.tasks[task, default: []].indices { textless.tasks[task]?[row].generated = nil }
    }
    let difference = try RunDifference(log, textless)
    #expect(difference.tasks.count == 4 && difference.tasks.allSatisfy { $0.largest == 0 && $0.generatedCount == 0 })
    other.tasks[.forget]?[3].generated?.prompt = "[INST] Why? [/INST]"
    let error = #expect(throws: LacunaError.self) { try RunDifference(log, other) }
    #expect(error?.message.contains("\"[INST] Why? [/INST]\" in row 3") == true, "\(error?.message ?? "")")
  }

  /// Counts of distinct rows that the released code reports on 8 devices, from a run of accelerate's sampler.
  @Test(
    "rows are mixed up as on 8 devices, and stay in order on 2",
    arguments: [(200, 30, 190), (200, 7, 183), (100, 30, 60), (117, 30, 60)])
  func interleaving(count: Int, batch: Int, distinct: Int) {
    let order = InterleavedRows.order(count: count, batch: batch, processes: 8)
    #expect(order.count == count && Set(order).count == distinct)
    #expect(InterleavedRows.order(count: count, batch: batch, processes: 2) == Array(0..<count))
  }
}
