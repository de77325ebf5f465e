import Foundation
import LacunaEngine
import LacunaEval
import LacunaScript
import LacunaTestSupport
import Testing

@Suite("Plugins' probes, recorded")
struct ProbeTests {
  private let directory: TemporaryDirectory
  private let data: TOFUData

  init() throws {
    directory = try TemporaryDirectory()
    data = try TOFUData(TOFUDataTests.demo)
    try plugin()
  }

  /// A probe that measures a score and draws a number, over the forget set.
  private func plugin(_ body: String = "", limits: String = "") throws {
    try directory.write(
      """
      { "name": "count-it", "version": "0.1.0", "api": 1, "provides": ["probe:count_it"],
        "capabilities": ["model.score", "model.generate", "model.logits", "clock"], "limits": { \(limits) } }
      """, to: "count-it/plugin.json")
    try directory.write(
      """
      local lacuna <const> = require "lacuna"
      return lacuna.plugin { probes = { count_it = {
        params = { times = { type = "integer", default = 1 } },
        measure = function(item, ctx)
          assert(item.perturbed_answer[5] and item.paraphrased_question and ctx.params.times and ctx.split == "forget10")
          \(body)
          local scores = assert(ctx.model:score { prompt = ctx:render("tofu", item.question), answers = { item.answer } })
          return { mean = scores[1].mean * ctx.params.times, draw = lacuna.rng(ctx.seed):uniform(), row = ctx.row, task = ctx.task }
        end,
        summary = function(records, ctx)
          assert(not ctx.model)
          local sum, other = 0.0, 0.0
          for i, record in ipairs(records) do
            sum = sum + record.mean
            if ctx.reference then other = other + ctx.reference[i].mean end
          end
          return { sum = sum, other = other, rows = { first = records[1].row, last = records[#records].row }, n = #records }
        end,
      } } }
      """, to: "count-it/init.lua")
  }

  private func registry() -> PluginRegistry {
    var environment = ScriptEnvironment { _ in throw LacunaError(.notFound, "no model by name here") }
    environment.plugins.given = ["\(directory.path)/count-it"]
    return PluginRegistry(environment)
  }

  /// Runs `body` with the stack that plugins need.
  private func withRegistry<Value>(_ body: (PluginRegistry) throws -> Value) throws -> Value {
    let registry = registry()
    return try withoutActuallyEscaping(body) { body in
      try ScriptThread.run { Result { try body(registry) } }.get()
    }
  }

  private func store(_ name: String, _ opening: ResultStore.Opening = .create) throws -> ResultStore {
    try ResultStore(path: "\(directory.path)/\(name)", opening)
  }

  private func evaluation(
    _ store: ResultStore, _ registry: PluginRegistry, role: ResultStore.Role = .model, limit: Int = 4,
    probe: String = "count-it"
  ) throws -> ProbeEvaluation {
    var evaluation = ProbeEvaluation(try PluginProbe(probe, in: registry), store: store, role: role)
    evaluation.selection.limit = limit
    evaluation.seed = 5
    return evaluation
  }

  private func items() throws -> ProbeData { try ProbeData(data, split: .forget10, tasks: ["forget"]) }

  private let series = ResultStore.Series(probe: "count-it/count_it", role: .model)

  @Test("a run that is stopped anywhere and goes on ends with the same records", arguments: [0, 1, 3])
  func resume(stopAfter: Int) throws {
    let engine = try EvaluationTests.engines.get().model
    try withRegistry { registry in
      let whole = try store("whole.sqlite")
      try evaluation(whole, registry).run(engine, companions: [:], data: items())
      let expected = try whole.records(of: series)
      #expect(expected.count == 4 && expected.map(\.row) == [0, 1, 2, 3])
      #expect(Set(expected.map(\.value)).count == 4)

      var count = 0
      var first = try evaluation(try store("parts.sqlite"), registry)
      first.onProgress = { count = $0.done }
      first.isCancelled = { count >= stopAfter }
      let error = #expect(throws: LacunaError.self) { try first.run(engine, companions: [:], data: items()) }
      #expect(error?.code == .cancelled)
      let parts = try store("parts.sqlite", .createOrContinue)
      #expect(try parts.records(of: series).count == stopAfter)
      try evaluation(parts, registry).run(engine, companions: [:], data: items())
      #expect(try parts.records(of: series) == expected)
    }
  }

  @Test("rows side by side have the records that each has alone, in fewer passes")
  func company() throws {
    // Scores, what is expected, texts, samples, forks and draws by hand: whatever a probe waits for.
    try plugin(
      """
      local m <const>, prompt <const> = ctx.model, ctx:render("tofu", item.question)
      local s <const> = m:session { text = prompt, seed = ctx.seed }
      local said <const> = s:fork():generate { max_tokens = 4 + ctx.row % 5, sampler = { { "temperature", t = 2 }, { "dist" } } }
      local a <const>, b <const> = s:fork(), s
      lacuna.forward { a, b }
      a:push(b:logits():sample(lacuna.rng(ctx.seed, 3)))
      local seen <const> = { text = said.text, sum = a:logits():logsumexp(),
        moments = m:moments { prompt = prompt, answer = item.answer, eos = true },
        kl = m:kl(m, { prompt = prompt, answer = item.perturbed_answer[1] }).values,
        scores = m:score { prompt = prompt, answers = item.perturbed_answer, per_token = true } }
      if true then return seen end
      """)
    // Of its own, so that only its passes are counted.
    let engine = try Engine(sharing: try EvaluationTests.engines.get().model, options: Engine.Options())
    try withRegistry { registry in
      var records: [[ResultStore.Record]] = []
      var passes: [Int] = []
      for width in [1, 3, 8, 20] {
        var one = try evaluation(try store("\(width).sqlite"), registry, limit: 12)
        one.width = width
        let before = engine.passTally.passes
        try one.run(engine, companions: [:], data: items())
        passes.append(engine.passTally.passes - before)
        records.append(try one.store.records(of: series))
      }
      #expect(records[0].count == 12 && Set(records[0].map(\.value)).count == 12)
      #expect(records.allSatisfy { $0 == records[0] })
      #expect(passes[1] * 2 < passes[0] && passes[2] * 4 < passes[0], "\(passes)")
    }
  }

  @Test("shards merge to the whole, seeds and all")
  func shards() throws {
    let engine = try EvaluationTests.engines.get().model
    try withRegistry { registry in
      let whole = try store("whole.sqlite")
      try evaluation(whole, registry).run(engine, companions: [:], data: items())
      let merged = try store("merged.sqlite")
      for index in [2, 1] {
        var part = try evaluation(try store("part\(index).sqlite"), registry)
        part.selection.shard = (index, 2)
        try part.run(engine, companions: [:], data: items())
        try merged.merge(part.store)
      }
      #expect(try merged.records(of: series) == (try whole.records(of: series)))
      #expect(try merged.identity(of: series) == (try whole.identity(of: series)))
    }
  }

  @Test("a run goes on only with the plugin, the parameters and the seed that it began with")
  func identity() throws {
    let engine = try EvaluationTests.engines.get().model
    let run = try store("run.sqlite")
    try withRegistry { try evaluation(run, $0).run(engine, companions: [:], data: items()) }
    let identity = try #require(try run.identity(of: series))
    #expect(identity.modelHash == engine.info.fingerprint && identity.seed == 5)
    #expect(identity.parameters == #"{"params":{"times":1},"split":"forget10","tasks":["forget"]}"#)
    try withRegistry { registry in
      var other = try evaluation(run, registry, probe: "count-it:times=2")
      let error = #expect(throws: LacunaError.self) { try other.run(engine, companions: [:], data: items()) }
      #expect(error?.message.contains("parameters: expected") == true)
      other = try evaluation(run, registry)
      other.seed = 6
      #expect(throws: LacunaError.self) { try other.run(engine, companions: [:], data: items()) }
    }
    try plugin("local changed = true")
    try withRegistry { registry in
      let error = #expect(throws: LacunaError.self) {
        try evaluation(run, registry).run(engine, companions: [:], data: items())
      }
      #expect(error?.message.contains("probe_hash: expected") == true)
      let summaries = try ProbeSummary.all(in: run, registry)
      #expect(summaries.first?.isOfOtherVersion == true)
    }
  }

  @Test("summaries need no model, and compare the same rows")
  func summaries() throws {
    let engines = try EvaluationTests.engines.get()
    try withRegistry { registry in
      let run = try store("run.sqlite")
      try evaluation(run, registry).run(engines.model, companions: [:], data: items())
      let asked = try run.items()
      #expect(try asked.count == 4 && Set(run.records(of: series).map(\.itemHash)) == Set(asked.keys))
      let copy = try store("copy.sqlite")
      try copy.merge(run)
      #expect(try copy.items() == asked)
      let alone = try #require(try ProbeSummary.all(in: run, registry).first)
      #expect(alone.value["other"] == .double(0) && alone.value["rows"]?["last"] == .integer(3))
      #expect(alone.recordCount == 4 && alone.modelName == "demo-unlearned" && !alone.isOfOtherVersion)

      try evaluation(run, registry, role: .reference, limit: 3).run(
        engines.reference, companions: [:], data: items())
      let error = #expect(throws: LacunaError.self) { try ProbeSummary.all(in: run, registry) }
      #expect(error?.message.contains("have the 4 rows of model, found 3") == true, "\(error?.message ?? "")")
      var failures = 0
      #expect(try ProbeSummary.all(in: run, registry) { _ in failures += 1 }.map(\.series.role) == [.reference])
      #expect(failures == 1)
      try evaluation(run, registry, role: .reference).run(engines.reference, companions: [:], data: items())
      let both = try ProbeSummary.all(in: run, registry)
      #expect(both.map(\.series.role) == [.model, .reference])
      #expect(both[0].value["other"] == both[1].value["sum"] && both[0].value["sum"] != both[1].value["sum"])
      let table = ProbeTable.text(both)
      #expect(table.contains("rows.last") && table.contains("demo-retrained"), "\(table)")
    }
  }

  @Test("what a probe fails with names the probe, the row and the line; what was measured is kept")
  func failure() throws {
    try plugin("if ctx.row == 2 then error 'cannot' end")
    let engine = try EvaluationTests.engines.get().model
    try withRegistry { registry in
      let run = try store("run.sqlite")
      let error = #expect(throws: ScriptError.self) {
        try evaluation(run, registry).run(engine, companions: [:], data: items())
      }
      let message = error?.description ?? ""
      #expect(
        message.contains("probe \"count-it/count_it\", measure, forget, row 2")
          && message.contains("init.lua:6: cannot"))
      #expect(try run.records(of: series).count == 2)
    }
  }

  @Test("of several rows that fail the first is told of, and all before it are kept")
  func firstFailure() throws {
    // Row 5 fails at once, row 2 after a few passes, when others behind it are done.
    try plugin(
      """
      if ctx.row == 5 then error "at once" end
      if ctx.row == 2 then
        ctx.model:session { text = item.question }:generate { max_tokens = 30, sampler = "greedy", stop = {} }
        error "later"
      end
      """)
    let engine = try EvaluationTests.engines.get().model
    try withRegistry { registry in
      let run = try store("run.sqlite")
      let error = #expect(throws: ScriptError.self) {
        try evaluation(run, registry, limit: 20).run(engine, companions: [:], data: items())
      }
      #expect(error?.message.contains("row 2: ") == true && error?.message.contains("later") == true)
      let rows = try run.records(of: series).map(\.row)
      #expect(rows.prefix(2) == [0, 1] && rows.allSatisfy { $0 < 5 && $0 != 2 }, "\(rows)")
    }
  }

  @Test("a row that exceeds a limit is named, and those before it are kept")
  func limit() throws {
    try plugin("while ctx.row == 3 do end", limits: #""call_ms": 200"#)
    let engine = try EvaluationTests.engines.get().model
    try withRegistry { registry in
      let run = try store("run.sqlite")
      let error = #expect(throws: ScriptError.self) {
        try evaluation(run, registry, limit: 20).run(engine, companions: [:], data: items())
      }
      #expect(error?.code == "limit")
      #expect(error?.message.contains("row 3: ") == true && error?.message.contains("200 ms for a call") == true)
      #expect(try run.records(of: series).map(\.row) == [0, 1, 2])
    }
  }

  @Test("rows that hold more together than one may are measured with fewer side by side")
  func holdings() throws {
    let engine = try EvaluationTests.engines.get().model
    for body in [
      "local held <close> = setmetatable({ ('x'):rep(3 << 20) }, { __close = function() end })",
      // Each has a hundred rows of logits beside the keys and values.
      """
      local held <close>, all = setmetatable({}, { __close = function(t) for _, s in ipairs(t) do s:close() end end }), nil
      for i = 1, 100 do held[i] = ctx.model:session { text = item.question } end
      """,
    ] {
      try plugin(body)
      let expected = try withRegistry { registry in
        let run = try store("\(body.count)-alone.sqlite")
        var alone = try evaluation(run, registry, limit: 12)
        alone.width = 1
        try alone.run(engine, companions: [:], data: items())
        return try run.records(of: series).map(\.value)
      }
      try plugin(body, limits: #""memory_mb": 16, "kv_mb": 12"#)
      try withRegistry { registry in
        let run = try store("\(body.count).sqlite")
        try evaluation(run, registry, limit: 12).run(engine, companions: [:], data: items())
        #expect(try run.records(of: series).map(\.value) == expected)
      }
    }
  }

  @Test("of the time that rows wait for passes together, each has its part on its limit")
  func sharedTime() throws {
    try plugin(
      """
      local s <const>, start <const> = ctx.model:session { text = item.question }, os.time()
      local length <const> = #s
      repeat s:rewind(length - 1); s:push(5); s:logits() until os.time() - start >= 2
      """, limits: #""call_ms": 900"#)
    let engine = try EvaluationTests.engines.get().model
    try withRegistry { registry in
      let run = try store("run.sqlite")
      try evaluation(run, registry, limit: 8).run(engine, companions: [:], data: items())
      #expect(try run.records(of: series).count == 8)
      let error = #expect(throws: ScriptError.self) {
        try evaluation(try store("alone.sqlite"), registry, limit: 1).run(engine, companions: [:], data: items())
      }
      #expect(error?.code == "limit", "what one waits for alone is its own")
    }
  }

  @Test(
    "a record that is no plain data is refused", arguments: ["return 1", "return { f = print }", "return { x = 0/0 }"])
  func records(body: String) throws {
    try plugin("do \(body) end")
    let engine = try EvaluationTests.engines.get().model
    try withRegistry { registry in
      let error = #expect(throws: ScriptError.self) {
        try evaluation(try store("run.sqlite"), registry).run(engine, companions: [:], data: items())
      }
      #expect(error?.message.contains("plain data") == true, "\(error?.message ?? "")")
    }
  }

  @Test("rows come from TOFU's files, from the holdout, and from any data file")
  func rows() throws {
    let all = try ProbeData(data, split: .forget10, tasks: ["forget", "holdout", "real_authors", "study"])
    let counts = Dictionary(grouping: all.items, by: \.task).mapValues(\.count)
    #expect(counts == ["forget": 40, "holdout": 40, "real_authors": 28, "study": 1200])
    #expect(Set(all.items.prefix(80).map(\.hash)).count == 80)
    let error = #expect(throws: LacunaError.self) { try ProbeData(data, split: .forget10, tasks: ["none"]) }
    #expect(error?.message.contains("none.json") == true)
    // A smaller split's questions are the last ones of a larger split's file.
    let half = try ProbeData(data, split: .forget05, tasks: ["holdout"])
    #expect(half.items.map(\.question) == all.items.filter { $0.task == "holdout" }.suffix(20).map(\.question))
  }

  @Test("runs differ by their records' numbers")
  func differences() throws {
    func record(_ row: Int, _ value: String, hash: String = "h") -> ResultStore.Record {
      ResultStore.Record(task: "forget", row: row, itemHash: hash, value: value)
    }
    let a = [record(0, #"{"x":1,"list":[1.5,2]}"#), record(1, #"{"x":2}"#), record(2, #"{"x":3}"#)]
    let b = [record(0, #"{"x":1,"list":[1.5,5]}"#), record(1, #"{"x":2}"#)]
    let difference = try ProbeDifference(a, b, files: ("a", "b"))
    #expect(difference.rowCount == 2 && difference.equalCount == 1 && difference.largest == 3)
    // Four numbers at the same places, one of them 3 apart.
    #expect(abs(difference.rootMeanSquare - (9.0 / 4).squareRoot()) < 1e-12)
    let other = [record(0, #"{"x":1}"#, hash: "other")]
    #expect(throws: LacunaError.self) { try ProbeDifference(a, other, files: ("a", "b")) }
  }

  @Test("figures are listed by their paths, counts in names by size, lists left to machines")
  func figures() throws {
    let value = try JSONValue.parse(
      Array(#"{"leak@16":0.5,"leak@4":0.25,"auc":{"loss":1},"list":[1,2],"on":true}"#.utf8), file: "test")
    let figures = ProbeTable.figures(value)
    #expect(figures.map(\.name) == ["auc.loss", "leak@4", "leak@16", "on"])
    #expect(figures.map(\.text) == ["1", "0.2500", "0.5000", "yes"])
  }
}
