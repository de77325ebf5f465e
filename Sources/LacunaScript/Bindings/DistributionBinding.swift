internal import LacunaEngine

extension ScriptContext {
  /// What needs a model's whole distribution in every place: moments, kl.
  func registerDistributions() {
    let owner = ScriptType.model.name
    // What was expected in the place of each scored token.
    state.registerWaiting(owner, "moments", "model, table") { [unowned self] call in
      try answer(try DistributionRequest(call[2], argument: 2, of: call.object(1))) { request throws(LacunaError) in
        let work = try ExpectationWork(
          request.scorer, prompt: request.prompt, answer: request.answer, onProgress: promptProgress)
        return (work, { (work.tokens.count, Self.record(work)) })
      }
    }
    // KL(other || model) behind every token of prompt and answer.
    state.registerWaiting(owner, "kl", "model, model, table") { [unowned self] call in
      let reference = (call.object(2) as ModelObject).engine
      return try answer(try DistributionRequest(call[3], argument: 3, of: call.object(1))) {
        request throws(LacunaError) in
        let work = try DivergenceWork(
          request.scorer, from: reference, prompt: request.prompt, answer: request.answer, onProgress: promptProgress)
        return (work, { (2 * work.divergences.count, Self.record(work)) })
      }
    }
  }

  /// - Parameter begin: the work, and how many tokens it evaluated and what it found, once it is done.
  private func answer(
    _ request: DistributionRequest,
    _ begin: (DistributionRequest) throws(LacunaError) -> (any Work, () -> (tokens: Int, value: LuaValue))
  ) throws -> HostAnswer {
    try checkCancellation()
    do throws(LacunaError) {
      let (work, result) = try begin(request)
      return .later(
        WaitingCall(work) { [unowned self] outcome in
          try Self.expected {
            try outcome.get()
            let (tokens, value) = result()
            state.charge(tokens: tokens)
            return [value]
          }
        })
    } catch {
      return .now(Self.expected(error))
    }
  }

  private static func record(_ work: ExpectationWork) -> LuaValue {
    .record([
      "tokens": .integers(work.tokens), "logprobs": .floats(work.expectations.map(\.score.logProbability)),
      "hits": .list(work.expectations.map { .bool($0.score.isGreedy) }),
      "means": .list(work.expectations.map { .number($0.mean) }),
      "variances": .list(work.expectations.map { .number($0.variance) }),
    ])
  }

  private static func record(_ work: DivergenceWork) -> LuaValue {
    .record([
      "mean": .number(Statistics.mean(work.divergences)), "values": .list(work.divergences.map { .number($0) }),
    ])
  }
}

/// `{ prompt = , answer = , ... }`.
private struct DistributionRequest {
  let scorer: Scorer
  let prompt: String
  let answer: String

  init(_ value: LuaValue, argument: Int, of model: ModelObject) throws {
    guard case .table(let table) = value else { preconditionFailure("argument \(argument) is no table") }
    let options = try OptionTable(table, ["prompt", "answer", "boundary", "eos", "bos"], argument: argument)
    guard let prompt = try options.string("prompt"), let answer = try options.string("answer") else {
      throw HostFault.argument(argument, "options 'prompt' and 'answer' are needed")
    }
    self.prompt = prompt
    self.answer = answer
    var scorer = try Scorer(engine: model.engine)
    scorer.boundary = try options.choice("boundary", Scorer.Boundary.self) ?? .joint
    scorer.scoresEOS = try options.bool("eos") ?? false
    scorer.addsBOS = try options.bool("bos") ?? true
    self.scorer = scorer
  }
}
