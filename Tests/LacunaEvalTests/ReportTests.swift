import Foundation
import LacunaEngine
import LacunaEval
import LacunaScript
import LacunaTestSupport
import Testing

@Suite struct ReportTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// One row of a made-up evaluation.
  private struct Row {
    var task = TOFUTask.forget
    var row: Int
    var question = "Who wrote it?"
    var answer = "Ada Lovell wrote it."
    var said = "Nobody."
    /// Of the answer and its paraphrase, and of the wrong answers.
    var loss = 1.0
    var wrong = 2.0
    var pieces = ["Ada", " Lovell", " wrote", " it", ".", "</s>"]

    var record: ResultStore.Record {
      get throws {
        let value: [String: Any] = [
          "losses": [[loss, pieces.count], [loss, pieces.count], [wrong, 4], [wrong, 4], [wrong, 4]],
          "pieces": pieces, "logprobs": pieces.map { _ in -loss },
          "generated": ["[INST] \(question) [/INST]", said, answer], "generated_pieces": [said],
          "generated_logprobs": [-0.5],
        ]
        let text = try JSONSerialization.data(withJSONObject: value)
        return ResultStore.Record(
          task: task.rawValue, row: row, itemHash: "", value: String(decoding: text, as: UTF8.self))
      }
    }
  }

  private func store(_ name: String, _ models: [(role: ResultStore.Role, name: String, rows: [Row])]) throws
    -> ResultStore
  {
    let store = try ResultStore(path: "\(directory.path)/\(name).sqlite", .create)
    for model in models {
      let identity = RunIdentity(
        probe: "tofu", probeHash: "", parameters: #"{"split":"forget10"}"#, dataHash: "", modelName: model.name,
        modelHash: model.name, weights: "bf16", precision: "fast", kvType: "bf16", kernels: "scalar", seed: 0)
      try store.begin(identity, role: model.role)
      try store.add(try model.rows.map { try $0.record }, role: model.role)
    }
    return store
  }

  /// Which of the marks a page holds: a failure shows them, and not the page.
  private func held(_ page: String, _ marks: String...) -> [String] { marks.filter { page.contains($0) } }

  /// The text between two marks.
  private func part(_ text: String, from start: String, to end: String) throws -> String {
    let begin = try #require(text.range(of: start)).upperBound
    return String(text[begin..<(try #require(text.range(of: end, range: begin..<text.endIndex))).lowerBound])
  }

  @Test("what a model says stays text: no element, no attribute, no end of the data comes of it")
  func escaping() throws {
    let attacks = [
      "<script>alert(1)</script>", "</script><img src=x onerror=alert(2)>", "<!--<script>", "\" onmouseover=\"alert(3)",
      "<\u{338}/script>", "\u{202E}\u{0}\u{8}&amp;", "]]>'",
    ]
    let rows = attacks.enumerated().map {
      Row(row: $0, question: "Q " + $1, answer: "A " + $1, said: "S " + $1, pieces: ["A ", $1, "</s>"])
    }
    let name = "<b>model</b>"
    let run = try store("run", [(.model, name, rows), (.reference, "retrained", rows)])
    let page = try RunReport([run]).html
    #expect(page.components(separatedBy: "<script").count == 3)
    #expect(page.components(separatedBy: "</script").count == 3)
    #expect(held(page, "<img", "<b>", "onmouseover=\"", "<!--") == [])
    #expect(held(page, "&lt;b&gt;model&lt;/b&gt;").count == 1)

    let data = try part(page, from: "<script type=\"application/json\" id=\"data\">", to: "</script>")
    let items = try #require(
      (try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])?["items"] as? [[String: Any]])
    for (item, attack) in zip(items, attacks) {
      #expect(item["question"] as? String == "Q " + attack && item["answer"] as? String == "A " + attack)
      let entry = try #require((item["models"] as? [[String: Any]])?.first)
      #expect(entry["said"] as? String == "S " + attack && entry["saidPieces"] as? [String] == ["S " + attack])
    }
  }

  @Test("the page needs nothing else and lets nothing else run")
  func selfContained() throws {
    let run = try store("run", [(.model, "m", [Row(row: 0)])])
    let page = try RunReport([run]).html
    #expect(held(page, "http://", "https://", "<link", "@import", "url(") == [])
    let policy = try part(page, from: "Content-Security-Policy\" content=\"", to: "\"")
    #expect(policy.hasPrefix("default-src &#39;none&#39;"))
    let digest = try part(policy, from: "script-src &#39;sha256-", to: "&#39;")
    #expect(Data(base64Encoded: digest)?.count == 32)
  }

  @Test("the page says what the figures say, and D is drawn as it was computed")
  func figures() throws {
    func rows(_ ratios: [Double]) -> [Row] {
      ratios.enumerated().map { Row(row: $0, loss: 1, wrong: 1 + log($1)) }
    }
    // By hand: at 1.2 all of the judged rows lie below and a quarter of the others.
    let judged = rows([0.2, 0.4, 0.8, 1.2])
    let run = try store(
      "run",
      [
        (.model, "unlearned", judged), (.original, "original", rows([9, 9, 9, 9])),
        (.reference, "retrained", rows([1, 2, 3, 4])),
      ])
    let report = try RunReport([run])
    #expect(report.columns.map(\.title) == ["original", "unlearned", "retrained"])
    #expect(report.columns[1].figures.forgetQuality?.distance == 0.75)
    let page = report.html
    let recited = "unlearned gives 0 of 4 answers to be forgotten word for word"
    #expect(held(page, ">D = 0.750</text>", "<td>0.750</td>", recited).count == 3)
    #expect(held(report.text, "D 0.750", "retrained", recited).count == 3)
    // A loss of 1 is a step of the scale, and the same as the reference's.
    #expect(held(page, "<rect class=\"k4\"", "<rect class=\"d4\"").count == 2)
    #expect(held(page, "<rect class=\"k3\"", "<rect class=\"k5\"", "<rect class=\"d3\"", "<rect class=\"d5\"") == [])
    // These are not TOFU's own rows.
    #expect(held(page, "<small>published</small>") == [])
  }

  @Test("several runs stand side by side, and what they share stands there once")
  func severalRuns() throws {
    let shared: [(role: ResultStore.Role, name: String, rows: [Row])] = [
      (.original, "original", [Row(row: 0, loss: 0.1)]), (.reference, "retrained", [Row(row: 0, loss: 3)]),
    ]
    let a = try store("a", [(.model, "unlearned", [Row(row: 0, loss: 2)])] + shared)
    let b = try store("b", [(.model, "unlearned", [Row(row: 0, loss: 5)])] + shared)
    let report = try RunReport([a, b])
    #expect(report.columns.map(\.role) == [.original, .model, .model, .reference])
    #expect(
      report.columns.map(\.title) == ["original", "unlearned (a.sqlite)", "unlearned (b.sqlite)", "retrained"])
    #expect(report.columns.map(\.reference) == [3, 3, 3, 3])
    let runs = try #require(
      (try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])?["runs"] as? [[String: Any]])
    #expect(runs.map { $0["file"] as? String } == [a.path, b.path])
    #expect(try RunReport([a]).json == TOFUComparison(a).json)
  }

  @Test("runs that ask something else in the same place do not stand side by side")
  func otherRows() throws {
    let a = try store("a", [(.model, "one", [Row(row: 0), Row(row: 1)])])
    let b = try store("b", [(.model, "two", [Row(row: 1, question: "Who read it?")])])
    let error = #expect(throws: LacunaError.self) { try RunReport([a, b]) }
    #expect(
      error?.message.contains("ask \"Who wrote it?\" and \"Who read it?\" in row 1") == true, "\(error?.message ?? "")")
  }

  @Test("a report says by which rules, and what is missing")
  func rules() throws {
    let run = try store("run", [])
    let identity = RunIdentity(
      probe: "tofu", probeHash: "", parameters: #"{"profile":"open","split":"forget10"}"#, dataHash: "", modelName: "m",
      modelHash: "", weights: "", precision: "", kvType: "", kernels: "", seed: 0)
    try run.begin(identity, role: .model, wanted: [TOFUTask.forget.rawValue: 40])
    try run.add([try Row(row: 0).record, try Row(row: 1).record], role: .model)
    #expect(try TOFUProfile.Name.recorded(in: [run]) == .open)
    var scoring = TOFUScoring()
    scoring.profile = TOFUProfile(.open)
    let report = try RunReport([run], scoring: scoring)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
    #expect(object["profile"] as? String == "open" && object["truth_ratio"] as? String == "geometric")
    let note = "tofu, model: 2 of 40 rows measured; --resume finishes a run"
    #expect((object["notes"] as? [String])?.first?.contains(note) == true, "\(report.json)")
    #expect(held(report.text, "profile open, truth ratio geometric", note).count == 2)
    #expect(held(report.html, "profile open, truth ratio geometric", note).count == 2)

    let paper = try store("paper", [])
    var other = identity
    other.parameters = #"{"profile":"paper"}"#
    try paper.begin(other, role: .model)
    let error = #expect(throws: LacunaError.self) { try TOFUProfile.Name.recorded(in: [run, paper]) }
    #expect(error?.message.contains("profile: expected open, as") == true, "\(error?.message ?? "")")
  }

  @Test("tables read back as they were: a line an item and model, a line a figure")
  func tables() throws {
    let said = "\"Well\", she said,\nand \"\u{301}left"
    let run = try store(
      "run", [(.model, "m, the first", [Row(row: 3, said: said, loss: 0.25)]), (.reference, "r", [Row(row: 3)])])
    let report = try RunReport([run])
    let items = parse(report.itemsCSV)
    #expect(items.count == 3 && items.allSatisfy { $0.count == items[0].count })
    // The reference is the last column.
    let entry = Dictionary(uniqueKeysWithValues: zip(items[0], items[1]))
    #expect(entry["generated"] == said && entry["model"] == "m, the first" && entry["row"] == "3")
    #expect(entry["loss"] == "0.25" && entry["wrong_losses"] == "2.0 2.0 2.0")
    #expect(Double(entry["truth_ratio"] ?? "") == exp(1.75))
    let figures = parse(report.figuresCSV)
    let forget = figures.filter { $0[2] == "m, the first" && $0[3] == "eval_log_forget" }
    #expect(Double(try #require(forget.first { $0[4] == "probability" })[5]) == exp(-0.25))
    #expect(figures.contains { $0[2] == "m, the first" && $0[4] == "ks_distance" && $0[5] == "1.0" })
  }

  /// RFC 4180.
  private func parse(_ text: String) -> [[String]] {
    var (lines, line, field, isQuoted) = ([[String]](), [String](), "", false)
    var scalars = Array(text.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\"" where isQuoted && scalars.first == "\"": field.unicodeScalars.append(scalars.removeFirst())
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: (line, field) = (line + [field], "")
      case "\r" where !isQuoted: continue
      case "\n" where !isQuoted: (lines, line, field) = (lines + [line + [field]], [], "")
      default: field.unicodeScalars.append(scalar)
      }
    }
    return lines
  }

  @Test("distances and quantiles are those of hand-worked samples")
  func distributions() {
    let gap = Distribution([1, 2, 3, 4]).widestGap(to: Distribution([3, 4, 5, 6]))
    #expect(gap?.at == 2 && gap?.share == 0.5 && gap?.otherShare == 0)
    // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1])
    let quantiles = [0, 0.1, 0.5, 0.9, 1].map { Distribution([8, 1, 4, 2]).quantile($0) }
    for (found, expected) in zip(quantiles, [1, 1.3, 3, 6.8, 8]) { #expect(abs(found - expected) < 1e-12) }
    #expect(Distribution([]).quantile(0.5).isNaN && Distribution([]).widestGap(to: Distribution([1])) == nil)
    let bins = Distribution([-5, 0, 0.5, 1, 2, 9]).histogram(edges: [0, 1, 2])
    #expect(bins == [0.5, 0.5])
  }

  @Test("authors are told apart by the names that their rows repeat")
  func authors() throws {
    let data = try TOFUData(TOFUDataTests.demo)
    let rows = try data.rows(of: .forget, split: .forget10)
    let texts = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($0, "\($1.question) \($1.answer)") })
    let demo = AuthorBlocks(texts)
    #expect(demo.size == 10 && demo.blocks.map(\.firstRow) == [0, 10, 20, 30])
    #expect(demo.blocks.first?.name == "Élodie Marchevant")
    for block in demo.blocks {
      let own = (block.firstRow..<block.firstRow + 10).filter { texts[$0]?.contains(block.name) == true }
      #expect(own.count > 5, "\(block.name)")
    }
    // Twenty rows each, as in TOFU; and rows that name nobody.
    let two = (0..<40).map { ($0, $0 < 20 ? "Where was Basil Al-Kuwaiti born?" : "What is Nikolai Abilov's style?") }
    let pair = AuthorBlocks(Dictionary(uniqueKeysWithValues: two))
    #expect(pair.size == 20 && pair.blocks.map(\.name) == ["Basil Al-Kuwaiti", "Nikolai Abilov"])
    #expect(pair.width == 20 && AuthorBlocks(texts.filter { $0.key < 7 }).width == 7)
    let none = AuthorBlocks([0: "what is it?", 25: "who knows"])
    #expect(none.size == 20 && none.blocks.map(\.name) == ["rows 0 to 19", "rows 20 to 39"])
  }

  @Test("what plugins' probes recorded is shown beside TOFU's figures, and by itself where there are none")
  func probes() throws {
    try directory.write(
      #"{ "name": "fade", "version": "0.1.0", "api": 1, "provides": ["probe:fade"], "capabilities": [] }"#,
      to: "fade/plugin.json")
    try directory.write(
      """
      local lacuna <const> = require "lacuna"
      return lacuna.plugin { probes = { fade = {
        measure = function() return {} end,
        summary = function(records) return { rows = #records, first = { score = records[1].score }, note = "<i>" } end,
      } } }
      """, to: "fade/init.lua")
    func add(_ role: ResultStore.Role, to store: ResultStore) throws {
      let series = ResultStore.Series(probe: "fade/fade", role: role)
      let identity = RunIdentity(
        probe: series.probe, probeHash: "", parameters: #"{"params":{},"split":"forget10"}"#, dataHash: "",
        modelName: role.rawValue, modelHash: role.rawValue, weights: "bf16", precision: "fast", kvType: "bf16",
        kernels: "scalar", seed: 0)
      try store.begin(identity, role: role)
      let records = (0..<4).map { row in
        ResultStore.Record(
          task: "forget", row: row, itemHash: "item \(row)",
          value: """
            {"at":{"low":{"p":0.\(row)5}},"at_layer":[0,\(row)],"by_layer":[0.0,0.5,\(row).0],"depths":[2,9],"score":\(row).25,"whole":true,"words":"<b>"}
            """)
      }
      try store.add(records, to: series)
      // As the other rows of this suite ask it.
      try store.add(
        records.map { ResultStore.Item(hash: $0.itemHash, question: "Who wrote it?", answer: "Ada Lovell wrote it.") })
    }
    let both = try store("both", [(.model, "model", [Row(row: 0), Row(row: 1)])])
    try add(.model, to: both)
    try add(.original, to: both)
    let alone = try store("alone", [])
    try add(.model, to: alone)
    for (run, isTOFU) in [(both, true), (alone, false)] {
      let report = try report(run, plugin: "fade")
      let page = report.html
      #expect(held(page, "fade-title\">fade</h2>", ">first.score</th>", "&lt;i&gt;", "<h3>score</h3>").count == 4)
      // Each row is true, which is no distribution; layers are means over rows.
      #expect(held(page, "<h3>whole</h3>", "<b>", "<i>") == [])
      #expect(held(page, "layer 2: 1.500", "class=\"k7\"", "<h3>by_layer, 0.000 to 1.500</h3>").count == 3)
      #expect(held(page, "layer 2: 0.000", "layer 9: 1.500").count == 2, "as `depths` says")
      #expect(held(page, "id=\"figures\"").isEmpty == !isTOFU)
      let items = parse(report.itemsCSV)
      let score = try #require(items[0].firstIndex(of: "fade: score"))
      let scores = items.dropFirst().filter { $0[1] == "model" }.map { $0[score] }
      #expect(scores == ["0.25", "1.25", "2.25", "3.25"])
      let low = try #require(items[0].firstIndex(of: "fade: at.low.p"))
      let question = try #require(items[0].firstIndex(of: "question"))
      let others = items.dropFirst().filter { $0[1] == "model" }
      #expect(others.map { $0[low] } == ["0.05", "0.15", "0.25", "0.35"])
      #expect(
        others.map { [$0[question], $0[question + 1]] }
          == others.map { _ in ["Who wrote it?", "Ada Lovell wrote it."] })
      #expect(parse(report.figuresCSV).contains { $0[3] == "fade/fade" && $0[4] == "first.score" && $0[5] == "0.25" })
      #expect(held(report.text, "fade/fade", "first.score").count == 2)
      let probes = try #require(
        (try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])?["probes"] as? [Any])
      #expect(probes.count == (isTOFU ? 2 : 1))
    }
    // Two runs of one model: a column, unless both have something to say of the same.
    let plain = try store("plain", [(.model, "model", [Row(row: 0)])])
    for runs in [[plain, alone], [alone, plain]] {
      let report = try report(runs, plugin: "fade")
      #expect(report.columns.map(\.title) == ["model"] && report.columns[0].log.tasks.count == 1)
      #expect(held(report.html, "id=\"figures\"", "fade-title\">fade</h2>").count == 2)
    }
    #expect(
      try report([both, alone], plugin: "fade").columns.map(\.title)
        == ["original", "model (both.sqlite)", "model (alone.sqlite)"])
  }

  private func report(_ store: ResultStore, plugin: String) throws -> RunReport { try report([store], plugin: plugin) }

  private func report(_ stores: [ResultStore], plugin: String) throws -> RunReport {
    let path = "\(directory.path)/\(plugin)"
    return try ScriptThread.run {
      Result {
        var environment = ScriptEnvironment { _ in throw LacunaError(.notFound, "no model by name here") }
        environment.plugins.given = [path]
        let registry = PluginRegistry(environment)
        return try RunReport(stores, probes: try stores.map { try ProbeSummary.all(in: $0, registry) })
      }
    }.get()
  }

  @Test("a run whose records hold no tokens is shown, and the page says what is missing")
  func olderRuns() throws {
    let run = try store("old", [])
    let identity = RunIdentity(
      probe: "tofu", probeHash: "", parameters: "{}", dataHash: "", modelName: "old", modelHash: "", weights: "",
      precision: "", kvType: "", kernels: "", seed: 0)
    try run.begin(identity, role: .model)
    let value = #"{"losses":[[1.0,2],[1.5,2],[2.0,2]],"generated":["[INST] q [/INST]","no","yes"]}"#
    try run.add([ResultStore.Record(task: "eval_log", row: 7, itemHash: "", value: value)], role: .model)
    #expect(held(try RunReport([run]).html, "No tokens were recorded for old").count == 1)
  }
}
