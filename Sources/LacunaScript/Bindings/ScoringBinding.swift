internal import LacunaEngine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension ScriptContext {
  /// `model:score`, `score_many`, `perplexity`.
  func registerScoring(_ owner: String) {
    state.registerWaiting(owner, "score", "model, table") { [unowned self] call in
      guard case .table(let table) = call[2] else { preconditionFailure("argument 2 is no table") }
      try checkCancellation()
      let request = try ScoreRequest(table, engine: (call.object(1) as ModelObject).engine, argument: 2)
      if let failure = request.failure { return .now(Self.expected(failure)) }
      let scores = Scores(count: request.sequences.count)
      return .later(
        WaitingCall(work(request.scorer.engine, request.sequences, scores.add)) { outcome in
          try Self.expected {
            try outcome.get()
            return [request.record(try scores.all())]
          }
        })
    }
    state.registerWaiting(owner, "score_many", "model, table, table?") { [unowned self] call in
      try checkCancellation()
      let many = try ManyScores(
        call[2], onItem: try call.options(3, ["on_item"]).function("on_item"),
        engine: (call.object(1) as ModelObject).engine, in: state)
      return .later(
        WaitingCall(work(many.engine, many.sequences, many.add)) {
          try many.tell()
          return [many.results, many.errors]
        })
    }
    state.registerWaiting(owner, "perplexity", "model, string, table?") { [unowned self] call in
      let stride = try call.options(3, ["stride"]).integer("stride", in: 1...Int.max)
      try checkCancellation()
      let engine = (call.object(1) as ModelObject).engine
      // The usual 512 may be more than a small model's whole context.
      let windows: [Scorer.Sequence]
      do throws(LacunaError) {
        windows = try Scorer(engine: engine).windows(
          call.string(2), stride: stride ?? max(1, min(512, engine.contextLength / 2)))
      } catch {
        return .now(Self.expected(error))
      }
      guard !windows.isEmpty else {
        return .now(Self.expected(LacunaError(.invalidArgument, "the text is too short: nothing to score")))
      }
      let scores = Scores(count: windows.count)
      return .later(
        WaitingCall(work(engine, windows, scores.add)) { outcome in
          try Self.expected {
            try outcome.get()
            let all = try scores.all().flatMap(\.scores)
            let total = all.reduce(0) { $0 + Double($1.logProbability) }
            return [
              .number(exp(-total / Double(all.count))),
              .record(["sum": .number(total), "n": .count(all.count)]),
            ]
          }
        })
    }
  }

  /// Charges what was scored, and stops when the script is to stop.
  private func work(
    _ engine: Engine, _ sequences: [Scorer.Sequence],
    _ report: @escaping (Int, Result<AnswerScore, LacunaError>) throws -> Void
  ) -> ScoringWork {
    ScoringWork(engine: engine, sequences, budget: state.scoringBudget, onProgress: promptProgress) {
      [unowned self] index, result in
      if case .success(let score) = result { state.charge(tokens: score.count) }
      try checkCancellation()
      try report(index, result)
    }
  }

  /// What the body gives, or `nil, err` for what the engine fails with.
  static func expected(_ body: () throws -> [LuaValue]) throws -> [LuaValue] {
    do {
      return try body()
    } catch let error as LacunaError {
      return expected(error)
    }
  }

  /// `nil, err`.
  static func expected(_ error: LacunaError) -> [LuaValue] {
    [.nil, .error(code: error.code.description, message: error.message)]
  }
}

/// What `{ prompt = , answers = , ... }` asks for.
private struct ScoreRequest {
  private static let names = ["prompt", "answers", "boundary", "eos", "bos", "per_token"]

  let scorer: Scorer
  let sequences: [Scorer.Sequence]
  /// Why there are none, where text cannot be made into sequences.
  let failure: LacunaError?
  private let perToken: Bool

  /// - Parameter place: of the table in a list, "item 3: "; empty for one that is the argument itself.
  init(_ table: LuaTable, engine: Engine, argument: Int, place: String = "") throws {
    let options = try OptionTable(table, Self.names, argument: argument)
    guard let prompt = try options.string("prompt") else {
      throw HostFault.argument(argument, "\(place)option 'prompt' is missing")
    }
    guard let answers = try options.strings("answers") else {
      throw HostFault.argument(argument, "\(place)option 'answers' is missing")
    }
    perToken = try options.bool("per_token") ?? false
    var scorer = try Scorer(engine: engine)
    scorer.boundary = try options.choice("boundary", Scorer.Boundary.self) ?? .joint
    scorer.scoresEOS = try options.bool("eos") ?? false
    scorer.addsBOS = try options.bool("bos") ?? true
    self.scorer = scorer
    do throws(LacunaError) {
      sequences = try scorer.sequences(prompt: prompt, answers: answers)
      failure = nil
    } catch {
      sequences = []
      failure = error
    }
  }

  /// A list of { sum, n, mean, greedy, tokens, logprobs, hits }.
  func record(_ scores: [AnswerScore]) -> LuaValue {
    .list(
      scores.map { score in
        .record([
          "sum": .number(score.sum), "n": .count(score.count), "mean": .number(score.mean),
          "greedy": .bool(score.isGreedy), "tokens": perToken ? .integers(score.tokens) : .nil,
          "logprobs": perToken ? .floats(score.scores.map(\.logProbability)) : .nil,
          "hits": perToken ? .list(score.scores.map { .bool($0.isGreedy) }) : .nil,
        ])
      })
  }
}

/// The items of one `score_many`, and what became of them. `on_item` is told in the order of the list.
private final class ManyScores {
  private unowned let state: LuaState
  let engine: Engine
  private let onItem: LuaReference?
  private let requests: [ScoreRequest]
  let sequences: [Scorer.Sequence]
  /// [sequence]: its item, and which of the item's answers it is.
  private let places: [(item: Int, answer: Int)]
  private var scores: [Scores]
  private var missing: [Int]
  private var told = 0
  private var values: [(key: LuaValue, value: LuaValue)] = []
  private var failures: [(key: LuaValue, value: LuaValue)] = []

  init(_ list: LuaValue, onItem: LuaReference?, engine: Engine, in state: LuaState) throws {
    guard case .table(let list) = list, list.fields.isEmpty else {
      throw HostFault.argument(2, "expected a list of { prompt = , answers = }")
    }
    self.state = state
    self.engine = engine
    self.onItem = onItem
    requests = try list.array.enumerated().map { index, element in
      guard case .table(let table) = element else {
        throw HostFault.argument(2, "item \(index + 1): expected { prompt = , answers = }, found \(element.shown)")
      }
      return try ScoreRequest(table, engine: engine, argument: 2, place: "item \(index + 1): ")
    }
    sequences = requests.flatMap(\.sequences)
    places = requests.enumerated().flatMap { item, request in
      request.sequences.indices.map { (item: item, answer: $0) }
    }
    scores = requests.map { Scores(count: $0.sequences.count) }
    missing = requests.map(\.sequences.count)
  }

  func add(_ sequence: Int, _ result: Result<AnswerScore, LacunaError>) throws {
    let (item, answer) = places[sequence]
    scores[item].add(answer, result)
    missing[item] -= 1
    try tell()
  }

  /// Tells of the items that are whole now, up to the first that is not.
  func tell() throws {
    while told < requests.count, missing[told] == 0 {
      let number = LuaValue.count(told + 1)
      var record = LuaValue.nil
      var failure = LuaValue.nil
      do throws(LacunaError) {
        if let failure = requests[told].failure { throw failure }
        record = requests[told].record(try scores[told].all())
        values.append((number, record))
      } catch {
        failure = .error(code: error.code.description, message: error.message)
        failures.append((number, failure))
      }
      told += 1
      if let onItem { try state.call(onItem, [number, record, failure], wantsResults: false) }
    }
  }

  var results: LuaValue { .table(LuaTable(fields: values)) }
  var errors: LuaValue { .table(LuaTable(fields: failures)) }
}
