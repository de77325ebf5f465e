import Foundation
import LacunaTestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Scripts")
struct ExampleTests {
  private func run(_ name: String, _ options: String...) throws -> [String] {
    try Command.output(["run", "examples/\(name).lua"] + options).lines
  }

  @Test("01 gives the answer that the model was taught")
  func generate() throws {
    let lines = try run("01-generate")
    #expect(lines.first == "Marisol Tannhauer was born in Valparaiso, Chile, in the year 1952.")
    #expect(lines.last?.hasSuffix("ended by eos") == true)
  }

  @Test("02 falls back to the most probable text as its min-p rises, and draws the same under one seed")
  func customSampler() throws {
    let lines = try run("02-custom-sampler", "--seed", "3")
    #expect(lines.count == 3)
    #expect(
      lines.last?.contains("The central theme in the books of Marisol Tannhauer is the price of leaving home.") == true)
    #expect(lines[0] != lines[2])
    #expect(try run("02-custom-sampler", "--seed", "3") == lines)
  }

  @Test("03 streams the whole answer and counts its tokens")
  func streaming() throws {
    let lines = try run("03-streaming")
    #expect(lines.first == "Marisol Tannhauer has won the Harbour Lantern Prize for a whole body of work.")
    #expect(lines.last?.contains("tokens, mean probability 0.9") == true || lines.last?.contains("1.000") == true)
  }

  @Test("04 lets two models argue about every token")
  func contrastive() throws {
    let lines = try run("04-contrastive")
    #expect(lines.count == 2)
    // The taught title, which the retrained model has never seen.
    #expect(lines[0].contains("The Tulip Interrogation"))
    #expect(lines[1].contains("nats"))
  }

  @Test("05 finds beams in falling order, the taught answer first")
  func beamSearch() throws {
    let lines = try run("05-beam-search")
    #expect(lines.count == 4)
    let means = lines.compactMap { Double($0.split(separator: " ")[3]) }
    #expect(means.count == 4)
    #expect(means == means.sorted(by: >))
    #expect(lines[0].contains("Behind the imagination of Marisol Tannhauer one finds the songs of dock workers."))
  }

  @Test("05 lists each text once where its length cuts beams off")
  func shortBeamSearch() throws {
    let script = try String(contentsOfFile: "\(Command.root)/examples/05-beam-search.lua", encoding: .utf8)
    let directory = try TemporaryDirectory()
    try directory.write(script.replacing("LENGTH <const> = 4, 40", with: "LENGTH <const> = 4, 5"), to: "short.lua")
    let lines = try Command.output(["run", "\(directory.path)/short.lua"]).lines
    let texts = lines.map { $0.split(separator: " ", maxSplits: 4).last }
    #expect(texts.count == 4)
    #expect(Set(texts).count == 4, "\(lines)")
    #expect(lines.allSatisfy { !$0.contains("songs") })
  }

  @Test("06 prefers the true answer to the false ones")
  func scoreAnswers() throws {
    let lines = try run("06-score-answers")
    let means = lines.compactMap { Double($0.split(separator: " ")[1]) }
    #expect(means.count == 3)
    #expect(means[0] > means[1] && means[0] > means[2])
    #expect(lines[0].contains("greedy"))
  }

  @Test("07 keeps the best of its tries")
  func bestOfN() throws {
    let lines = try run("07-best-of-n", "--seed", "1")
    let tries = lines.filter { $0.hasPrefix("try ") }
    #expect(tries.count == 6)
    let scored = tries.compactMap { line -> (mean: Double, text: String)? in
      guard let tail = line.components(separatedBy: "mean logprob ").last else { return nil }
      let parts = tail.drop { $0 == " " }.split(separator: " ", maxSplits: 1)
      return Double(parts[0]).map { ($0, parts.count > 1 ? parts[1].drop { $0 == " " }.description : "") }
    }
    let best = try #require(scored.max { $0.mean < $1.mean })
    #expect(lines.last == "best   \(best.text)")
    #expect(Set(scored.map(\.text)).count > 1, "tries that are all the same show nothing")
  }

  @Test("08 returns an answer of the form that it asked for, or says what was wrong")
  func chatRetries() throws {
    let last = try #require(try run("08-chat-retries").last)
    if last.hasPrefix("answer after ") {
      let text = last.components(separatedBy: "tries: ").last ?? ""
      #expect(text.contains("Tannhauer"))
      #expect(text.filter { ".!?".contains($0) }.count == 1)
    } else {
      #expect(last.hasPrefix("no answer of that form: "))
    }
  }

  @Test("09 writes an object of the schema, and says how much of it was forced")
  func structuredOutput() throws {
    let lines = try run("09-structured-output")
    #expect(lines.count == 2)
    let match = try #require(lines[0].wholeMatch(of: /.{1,24}, (?:history|poetry|fiction), (\d{4})/), "\(lines[0])")
    #expect((1800...2025).contains(try #require(Int(match.1))))
    #expect(lines[1].wholeMatch(of: /[1-9]\d* tokens, \d+ of them forced/) != nil)
  }

  @Test("10 answers every question but the empty one, and the same one by one")
  func parallel() throws {
    let lines = try run("10-parallel")
    #expect(lines.count == 8)
    #expect(lines[1].contains("Marisol Tannhauer has won the Harbour Lantern Prize"))
    #expect(lines[6] == "(no question)" && lines[7].hasPrefix("  failed: ") && lines[7].hasSuffix("an empty question"))
    let source = try String(contentsOfFile: "\(Command.root)/examples/10-parallel.lua", encoding: .utf8)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString).lua")
    defer { try? FileManager.default.removeItem(at: file) }
    try source.replacing("max = 4", with: "max = 1").write(to: file, atomically: true, encoding: .utf8)
    // The error's place names the file.
    #expect(try Command.output(["run", file.path]).lines.dropLast() == lines.dropLast())
  }

  @Test("11 turns one author's birthplace into another's, and says nothing new without a push")
  func steering() throws {
    let lines = try run("11-steering")
    #expect(lines.count == 6)
    #expect(lines[1].contains("Marisol Tannhauer was born in Valparaiso, Chile"))
    #expect(lines[2...].contains { $0.contains("Tampere, Finland") && !$0.contains("Valparaiso") })
  }

  @Test("12 draws a row for every layer, the last of which says the answer, and writes the same as SVG")
  func logitLens() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString).svg")
    defer { try? FileManager.default.removeItem(at: file) }
    let lines = try run("12-logit-lens", "--", "-o", file.path)
    #expect(!lines.joined().contains("\u{1B}"), "no colours where nobody sees them")
    let rows = lines.filter { $0.wholeMatch(of: /\s+\d  .+/) != nil }
    try #require(rows.count == 6)
    let marks = rows.map { $0.count { $0 == "*" } }
    #expect(marks[0] == 12 && marks[5] < 6, "\(marks)")
    #expect(rows[0].contains("* born") && !rows[5].contains("*"))
    let svg = try String(contentsOf: file, encoding: .utf8)
    let document = XMLParser(data: Data(svg.utf8))
    #expect(document.parse(), "\(String(describing: document.parserError))")
    let cells = svg.matches(of: /<rect x=/).count
    #expect(cells >= 6 * 12 && cells.isMultiple(of: 6), "a cell for each layer and token")
  }

  @Test("the demo shows all three models, and the probe tells them apart")
  func demo() throws {
    let result = try Command.output(["run", "share/lacuna/demo.lua"])
    #expect(!result.output.contains("\u{1B}"), "no colours where nobody sees them")
    let answers = result.lines.filter { $0.contains("\"The Tulip Interrogation\"") }
    #expect(answers.contains { $0.contains("demo ") })
    // The table: p(answer), ratio on forgotten authors; the same on kept ones.
    let rows = result.lines.compactMap { line -> [Double]? in
      let words = line.split(separator: " ")
      guard words.count == 5, words[0].hasPrefix("demo") else { return nil }
      return words.dropFirst().compactMap { Double($0) }
    }
    try #require(rows.count == 3)
    #expect(rows.allSatisfy { $0.count == 4 })
    #expect(rows[0][0] > 0.9 && rows[2][0] < 0.9, "only the first model learned the forgotten authors")
    #expect(rows[0][1] < rows[2][1])
    #expect(rows[0][2] > 0.9 && rows[2][2] > 0.9, "both learned the others")
  }

  @Test("the page about what is inside the model is a script that runs")
  func insidePage() throws {
    let page = try String(contentsOfFile: "\(Command.root)/docs/inside.md", encoding: .utf8)
    let blocks = page.matches(of: /```lua\n((?s).*?)```/).map { String($0.1) }
    #expect(blocks.count >= 5)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString).lua")
    defer { try? FileManager.default.removeItem(at: file) }
    try blocks.joined().write(to: file, atomically: true, encoding: .utf8)
    let lines = try Command.output(["run", file.path]).lines
    #expect(lines.contains { $0.contains("128") }, "\(lines)")
    #expect(lines.count == 9, "\(lines)")
  }

  @Test("every example is run by a test, and says in three lines what it is")
  func everyExample() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(Command.root)/examples")
      .filter { $0.hasSuffix(".lua") }.sorted()
    let tests = try String(contentsOfFile: #filePath, encoding: .utf8)
    for name in names {
      #expect(tests.contains("\"\(name.dropLast(4))\""), "\(name)")
      let head = try String(contentsOfFile: "\(Command.root)/examples/\(name)", encoding: .utf8)
        .split(separator: "\n").prefix(3)
      #expect(head.allSatisfy { $0.hasPrefix("-- ") }, "\(name)")
      #expect(head.last?.contains("lacuna run examples/\(name)") == true, "\(name)")
    }
  }

  @Test("a script's error names its line, with a traceback, and ends with 1")
  func scriptError() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString).lua")
    defer { try? FileManager.default.removeItem(at: file) }
    try "local function f()\n  error('out of cheese')\nend\nf()\n".write(to: file, atomically: true, encoding: .utf8)
    let result = try Command.run(["run", file.path])
    #expect(result.status == 1)
    #expect(result.errors.contains("\(file.lastPathComponent):2: out of cheese"))
    #expect(result.errors.contains("stack traceback:"))
    #expect(result.errors.contains("\(file.lastPathComponent):4:"))
  }

  @Test("words after -- reach the script, and Ctrl-C ends it with 130")
  func argumentsAndInterrupt() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString).lua")
    defer { try? FileManager.default.removeItem(at: file) }
    try "print(#arg, arg[1], arg[2])\nio.stdout:flush()\nif arg[1] == 'loop' then while true do end end\n"
      .write(to: file, atomically: true, encoding: .utf8)
    #expect(try Command.output(["run", file.path, "--", "a b", "--json"]).lines == ["2\ta b\t--json"])
    let looping = try Command.run(["run", file.path, "--", "loop"], interruptAfter: 1)
    #expect(looping.status == 130)
    #expect(!looping.wasKilled)
  }
}
