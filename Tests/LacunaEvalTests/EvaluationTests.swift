import Foundation
import LacunaEngine
import LacunaEval
import LacunaTestSupport
import Testing

@Suite struct EvaluationTests {
  static let models = Fixture.path("../../share/lacuna/models")
  static let engines = Result {
    var options = Engine.Options()
    options.threadCount = 1
    return try (
      model: Engine.load(path: "\(models)/demo-unlearned", options: options),
      reference: Engine.load(path: "\(models)/demo-retrained", options: options)
    )
  }

  let directory: TemporaryDirectory
  let data: TOFUData

  init() throws {
    directory = try TemporaryDirectory()
    data = try TOFUData(TOFUDataTests.demo)
  }

  private func store(_ name: String, _ opening: ResultStore.Opening = .create) throws -> ResultStore {
    try ResultStore(path: "\(directory.path)/\(name)", opening)
  }

  private func evaluation(_ store: ResultStore, limit: Int = 3) -> TOFUEvaluation {
    var evaluation = TOFUEvaluation(store: store, role: .model)
    evaluation.split = .forget10
    evaluation.selection.limit = limit
    return evaluation
  }

  private func records(_ store: ResultStore) throws -> [ResultStore.Record] {
    try TOFUTask.allCases.flatMap { try store.records(of: .model, task: $0.rawValue) }
  }

  @Test("a run that is stopped anywhere and goes on ends with the same records", arguments: [0, 1, 5, 11])
  func resume(stopAfter: Int) throws {
    let engine = try Self.engines.get().model
    let whole = try store("whole.sqlite")
    try evaluation(whole).run(engine, data: data)
    let expected = try records(whole)
    #expect(expected.count == 12)

    var count = 0
    var first = evaluation(try store("parts.sqlite"))
    first.onProgress = { count = $0.done }
    first.isCancelled = { count >= stopAfter }
    let error = #expect(throws: LacunaError.self) { try first.run(engine, data: data) }
    #expect(error?.code == .cancelled)
    let parts = try store("parts.sqlite", .createOrContinue)
    let measured = try records(parts).count
    #expect(measured < 12)
    let missing = "parts.sqlite: tofu, model: \(measured) of 12 rows measured; --resume finishes a run"
    let shortfalls = try parts.shortfalls()
    #expect(shortfalls.map { $0.contains(missing) } == [true], "\(shortfalls)")
    // Who asks for fewer rows in between does not make a whole of what is none.
    try evaluation(parts, limit: 1).run(engine, data: data)
    #expect(try parts.shortfalls().isEmpty == (records(parts).count == 12))
    try evaluation(parts).run(engine, data: data)
    #expect(try records(parts) == expected)
    #expect(try parts.shortfalls().isEmpty && whole.shortfalls().isEmpty)
  }

  @Test("who writes leaves one file, and who reads leaves the folder as it was")
  func files() throws {
    let engine = try Self.engines.get().model
    func list() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: directory.path) }
    func changed() throws -> Date? {
      try FileManager.default.attributesOfItem(atPath: directory.path)[.modificationDate] as? Date
    }
    do {
      let run = try store("run.sqlite")
      try evaluation(run, limit: 1).run(engine, data: data)
      // While one writes, others read what was committed.
      #expect(try records(try store("run.sqlite", .read)).count == 4)
    }
    #expect(try list() == ["run.sqlite"])
    let before = try changed()
    // A file that came and went would have changed the folder: in one that cannot be written there would be no reading.
    for _ in 0..<2 { #expect(try records(try store("run.sqlite", .read)).count == 4) }
    #expect(try list() == ["run.sqlite"] && changed() == before)
    do { try evaluation(try store("run.sqlite", .createOrContinue), limit: 2).run(engine, data: data) }
    #expect(try list() == ["run.sqlite"])
  }

  @Test("shards merge to the whole, in any order and twice")
  func shards() throws {
    let engine = try Self.engines.get().model
    let whole = try store("whole.sqlite")
    try evaluation(whole, limit: 5).run(engine, data: data)
    var parts: [ResultStore] = []
    for index in 1...3 {
      var part = evaluation(try store("part\(index).sqlite"), limit: 5)
      part.selection.shard = (index, 3)
      try part.run(engine, data: data)
      parts.append(part.store)
    }
    let merged = try store("merged.sqlite")
    try merged.merge(parts[1])
    #expect(try merged.shortfalls().count == 1)
    for part in parts.reversed() + parts { try merged.merge(part) }
    #expect(try records(merged) == records(whole) && merged.shortfalls().isEmpty)
    let comparison = try TOFUComparison(merged)
    #expect(comparison.json == (try TOFUComparison(whole)).json)
  }

  @Test("a run goes on only with the model, the data and the settings that it began with")
  func identity() throws {
    let engines = try Self.engines.get()
    let run = try store("run.sqlite")
    try evaluation(run, limit: 1).run(engines.model, data: data)
    let cases: [(String, (inout TOFUEvaluation) -> Void, Engine)] = [
      ("model_hash", { _ in }, engines.reference),
      ("parameters", { $0.profile = TOFUProfile(.leaderboard) }, engines.model),
    ]
    for (field, change, engine) in cases {
      var other = evaluation(run)
      change(&other)
      let error = #expect(throws: LacunaError.self) { try other.run(engine, data: data) }
      #expect(error?.message.contains("\(field): expected") == true, "\(error?.message ?? "")")
    }
    #expect(throws: LacunaError.self) { try store("run.sqlite") }
    #expect(throws: LacunaError.self) { try store("none.sqlite", .read) }
    let folder = #expect(throws: LacunaError.self) { try ResultStore(path: directory.path, .read) }
    #expect(folder?.message.contains("found a folder") == true)
  }

  @Test("a part of another model is named, and so is a record of another question")
  func foreignParts() throws {
    let engines = try Self.engines.get()
    let (first, second) = (try store("first.sqlite"), try store("second.sqlite"))
    try evaluation(first, limit: 1).run(engines.model, data: data)
    try evaluation(second, limit: 1).run(engines.reference, data: data)
    let merged = try store("merged.sqlite")
    try merged.merge(first)
    let error = #expect(throws: LacunaError.self) { try merged.merge(second) }
    #expect(error?.message.contains("/second.sqlite: model_hash: expected") == true, "\(error?.message ?? "")")

    let record = ResultStore.Record(task: TOFUTask.forget.rawValue, row: 2, itemHash: "other", value: "{}")
    try first.add([record], role: .model)
    let other = #expect(throws: LacunaError.self) { try evaluation(first).run(engines.model, data: data) }
    #expect(other?.message.contains("row 2: recorded of another question") == true, "\(other?.message ?? "")")
  }

  @Test("a row number that no data has is refused where it is read")
  func rowNumbers() throws {
    let run = try store("run.sqlite")
    try evaluation(run, limit: 1).run(try Self.engines.get().model, data: data)
    let record = ResultStore.Record(task: TOFUTask.forget.rawValue, row: .max, itemHash: "", value: "{}")
    try run.add([record], role: .model)
    let error = #expect(throws: LacunaError.self) { try run.tofuLog(of: .model) }
    #expect(error?.message.contains("row: expected 0 to 10000000, found 9223372036854775807") == true)
  }

  @Test("a prompt that leaves its answers no room is refused by file and row")
  func longPrompts() throws {
    let engine = try Self.engines.get().model
    let tokenizer = try #require(engine.tokenizer)
    let folder = "\(directory.path)/data"
    try data.copy(to: folder)
    let long = String(repeating: "why ", count: 120)
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("world_facts") {
      var lines = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8).split(separator: "\n").map(
        String.init)
      lines[3] = lines[3].replacing("\"question\": \"", with: "\"question\": \"\(long)")
        .replacing("\"question\":\"", with: "\"question\":\"\(long)")
      try lines.joined(separator: "\n").write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
    let changed = try TOFUData(folder)
    let items = try changed.rows(of: .worldFacts, split: .forget10)
    let prompt = "[INST] \(items[3].question) [/INST]"
    let count = tokenizer.encode(prompt, bos: true, special: false).count
    try #require((200..<512).contains(count))
    let error = #expect(throws: LacunaError.self) {
      try TOFUQuestion.all(in: changed, split: .forget10, profile: TOFUProfile(.paper), tokenizer: tokenizer)
    }
    let message =
      "world_facts_perturbed.json: row 3: question: expected a prompt of fewer than 200 tokens, found \(count)"
    #expect(error?.message.hasSuffix(message) == true, "\(error?.message ?? "")")
    // open-unlearning's limit is 512.
    #expect(
      try !TOFUQuestion.all(in: changed, split: .forget10, profile: TOFUProfile(.open), tokenizer: tokenizer).isEmpty)
    let measurement = try TOFUMeasurement(engine: engine, profile: TOFUProfile(.paper))
    #expect(throws: LacunaError.self) { try measurement.sequence(prompt: prompt, answer: "Because.") }
  }

  @Test("a file that is no run is refused and left alone")
  func foreignFiles() throws {
    let text = String(repeating: "not a database ", count: 100)
    let path = try directory.write(text, to: "text.sqlite")
    for opening in [ResultStore.Opening.read, .createOrContinue] {
      let error = #expect(throws: LacunaError.self) { try ResultStore(path: path, opening) }
      #expect(error?.code == .malformed, "\(error?.message ?? "")")
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
  }

  @Test("logs are written as others read them: what is read back gives the same figures")
  func logs() throws {
    let run = try store("run.sqlite")
    try evaluation(run).run(try Self.engines.get().model, data: data)
    let log = try #require(try run.tofuLog(of: .model))
    let folder = "\(directory.path)/logs"
    try log.write(to: folder)
    let read = try TOFULog(contentsOf: "\(folder)/eval_log_aggregated.json")
    #expect(read.tasks == log.tasks)
    let statistics = try String(contentsOfFile: "\(folder)/aggregate_stat.txt", encoding: .utf8)
    let utility = try #require(TOFUFigures(log).modelUtility)
    #expect(statistics.contains("\nModel Utility: \(utility)\n"))
    #expect(statistics.hasPrefix("Real Authors ROUGE: "))
    for task in TOFUTask.allCases {
      let single = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(task.logName)"))
      let columns = try #require(try JSONSerialization.jsonObject(with: single) as? [String: [Any]])
      #expect(columns.count == 12 && columns.values.allSatisfy { $0.count == 3 })
    }
  }

  @Test("scores and texts are those of the scorer and of a generation alone")
  func values() throws {
    let engine = try Self.engines.get().model
    let run = try store("run.sqlite")
    try evaluation(run, limit: 4).run(engine, data: data)
    let rows = try #require(try run.tofuLog(of: .model)?.tasks[.forget])
    let items = try data.rows(of: .forget, split: .forget10)
    var scorer = try Scorer(engine: engine)
    scorer.scoresEOS = true
    for row in rows {
      let item = items[row.index]
      let prompt = "[INST] \(item.question) [/INST]"
      let alone = try scorer.score(prompt: prompt, answers: [item.paraphrasedAnswer ?? ""])[0]
      #expect(row.paraphrase.average == -alone.mean && row.paraphrase.count == alone.count)
      #expect(row.generated?.prompt == prompt && row.generated?.reference == item.answer)

      let tokenizer = try #require(engine.tokenizer)
      let session = try engine.makeSession()
      try session.append(tokenizer.encode(prompt, bos: true, special: false))
      var ids: [TokenID] = []
      // 200 less the longest of the first 30 prompts is more than these answers take.
      for _ in 0..<100 {
        let logits = try session.logits()
        let best = TokenID(logits.indices.max { logits[$0] < logits[$1] } ?? 0)
        if engine.isEndOfGeneration(best) { break }
        ids.append(best)
        try session.append(best)
      }
      #expect(row.generated?.text == tokenizer.decode(ids))
    }
  }

  @Test("sharing a question among its answers saves tokens and changes no record")
  func prefixSharing() throws {
    // Of its own, so that the tokens that it counts are this test's.
    let engine = try Engine.load(path: "\(Self.models)/demo-unlearned")
    var found: [(records: [ResultStore.Record], tokens: Int)] = []
    for sharesPrefixes in [true, false] {
      let run = try store("\(sharesPrefixes).sqlite")
      var evaluation = evaluation(run, limit: 2)
      evaluation.sharesPrefixes = sharesPrefixes
      let before = engine.passTally.tokens
      try evaluation.run(engine, data: data)
      found.append((try records(run), engine.passTally.tokens - before))
    }
    #expect(found[0].records == found[1].records)
    #expect(found[0].tokens < found[1].tokens)
  }

  @Test("tokens are recorded with their texts: joined they are the answers, and their losses the answers' losses")
  func tokens() throws {
    let engine = try Self.engines.get().model
    let run = try store("run.sqlite")
    try evaluation(run, limit: 4).run(engine, data: data)
    let log = try #require(try run.tofuLog(of: .model))
    for (task, rows) in log.tasks {
      let tokens = try run.tofuTokens(of: .model, task: task)
      #expect(tokens.count == 4)
      for row in rows {
        let (found, generated) = (try #require(tokens[row.index]), try #require(row.generated))
        // A first token that is merged with the prompt's end is not scored.
        let answer = found.answer.map(\.text).joined()
        #expect(answer.hasSuffix("</s>") && generated.reference.hasSuffix(answer.dropLast(4)))
        #expect(answer.count >= generated.reference.count - 1 + 4)
        let loss = -found.answer.reduce(0) { $0 + $1.logProbability } / Double(found.answer.count)
        #expect(loss == row.answer.average && row.answer.count == found.answer.count)
        let said = found.generated.map(\.text).joined()
        #expect(said == generated.text || said == " " + generated.text)
        #expect(found.generated.allSatisfy { $0.logProbability <= 0 })
      }
    }
  }

  @Test("a record without tokens, of an older run, is read and has none")
  func olderRecords() throws {
    let run = try store("run.sqlite")
    let identity = RunIdentity(
      probe: "tofu", probeHash: "", parameters: "{}", dataHash: "", modelName: "old", modelHash: "", weights: "",
      precision: "", kvType: "", kernels: "", seed: 0)
    try run.begin(identity, role: .model)
    let value =
      #"{"losses":[[1.0,2],[1.5,2],[2.0,2]],"logprobs":[-1.0,-1.0],"generated":["[INST] q [/INST]","no","yes"]}"#
    try run.add([ResultStore.Record(task: "eval_log", row: 7, itemHash: "", value: value)], role: .model)
    #expect(try run.tofuLog(of: .model)?.tasks[.retain]?.first?.index == 7)
    #expect(try run.tofuTokens(of: .model, task: .retain).isEmpty)
  }

  @Test("what a question may generate is what its batch of 30 prompts leaves of 200 tokens")
  func budgets() throws {
    let tokenizer = try #require(try Self.engines.get().model.tokenizer)
    let questions = try TOFUQuestion.all(in: data, split: .forget10, profile: TOFUProfile(.paper), tokenizer: tokenizer)
    let forget = questions.filter { $0.task == .forget }
    let lengths = forget.map { tokenizer.encode($0.prompt, bos: true, special: false).count }
    #expect(forget.prefix(30).allSatisfy { $0.newTokenLimit == 200 - lengths[..<30].max()! })
    #expect(forget.dropFirst(30).allSatisfy { $0.newTokenLimit == 200 - lengths[30...].max()! })
    let open = try TOFUQuestion.all(in: data, split: .forget10, profile: TOFUProfile(.open), tokenizer: tokenizer)
    #expect(open.allSatisfy { $0.newTokenLimit == 200 })
    let short = try TOFUQuestion.all(
      in: data, split: .forget10, profile: TOFUProfile(.paper), tokenizer: tokenizer, maxTokens: 7)
    #expect(short.allSatisfy { $0.newTokenLimit == 7 })
  }

  @Test("an answer beyond the limit is cut and has no EOS; one just below keeps it")
  func truncation() throws {
    let engine = try Self.engines.get().model
    let tokenizer = try #require(engine.tokenizer)
    let measurement = try TOFUMeasurement(engine: engine, profile: TOFUProfile(.paper))
    let prompt = "[INST] Who? [/INST]"
    let promptCount = tokenizer.encode(prompt, bos: true, special: false).count
    for repetitions in 1...120 {
      let answer = String(repeating: " the", count: repetitions)
      let count = tokenizer.encode(prompt + answer, bos: true, special: false).count
      let sequence = try measurement.sequence(prompt: prompt, answer: answer)
      #expect(sequence.tokens.count == min(count + 1, 200) && sequence.scoredFrom == promptCount)
      #expect((sequence.tokens.last == tokenizer.eos) == (count < 200))
    }
  }

  @Test("progress counts from this process's own work, whatever an earlier one left")
  func progress() {
    let resumed = EvaluationProgress(label: "", done: 30, total: 100, measured: 10, seconds: 4)
    #expect(resumed.rate == 2.5 && resumed.secondsLeft == 28)
    let started = EvaluationProgress(label: "", done: 20, total: 100, measured: 0, seconds: 1)
    #expect(started.rate == nil && started.secondsLeft == nil)
  }

  @Test("selections take from the front and deal the rest in turn")
  func selections() {
    #expect(ItemSelection(limit: 3).rows(of: 10) == [0, 1, 2])
    #expect(ItemSelection(limit: 7, shard: (2, 3)).rows(of: 10) == [1, 4])
    #expect(ItemSelection().rows(of: 2) == [0, 1])
  }
}
