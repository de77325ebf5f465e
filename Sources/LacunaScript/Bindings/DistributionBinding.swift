internal import LacunaEngine

extension ScriptContext {
  /// What needs a model's whole distribution in every place: moments, kl.
  func registerDistributions() {
    let owner = ScriptType.model.name
    let names = ["prompt", "answer", "boundary", "eos", "bos"]
    // What was expected in the place of each scored token.
    state.register(owner, "moments", "model, table") { [unowned self] call in
      let options = try call.options(2, names)
      return try distributions(call.object(1), options) { (scorer, prompt, answer) throws(LacunaError) in
        let (tokens, expectations) = try scorer.expectations(prompt: prompt, answer: answer)
        state.charge(tokens: tokens.count)
        return .record([
          "tokens": .integers(tokens), "logprobs": .floats(expectations.map(\.score.logProbability)),
          "hits": .list(expectations.map { .bool($0.score.isGreedy) }),
          "means": .list(expectations.map { .number($0.mean) }),
          "variances": .list(expectations.map { .number($0.variance) }),
        ])
      }
    }
    // KL(other || model) behind every token of prompt and answer.
    state.register(owner, "kl", "model, model, table") { [unowned self] call in
      let options = try call.options(3, names)
      let reference = (call.object(2) as ModelObject).engine
      return try distributions(call.object(1), options) { (scorer, prompt, answer) throws(LacunaError) in
        let values = try scorer.divergences(from: reference, prompt: prompt, answer: answer)
        state.charge(tokens: 2 * values.count)
        return .record(["mean": .number(Statistics.mean(values)), "values": .list(values.map { .number($0) })])
      }
    }
  }

  private func distributions(
    _ model: ModelObject, _ options: OptionTable,
    _ body: (Scorer, String, String) throws(LacunaError) -> LuaValue
  ) throws -> [LuaValue] {
    guard let prompt = try options.string("prompt"), let answer = try options.string("answer") else {
      throw HostFault.argument(2, "options 'prompt' and 'answer' are needed")
    }
    var scorer = try Scorer(engine: model.engine)
    scorer.boundary = try options.choice("boundary", Scorer.Boundary.self) ?? .joint
    scorer.scoresEOS = try options.bool("eos") ?? false
    scorer.addsBOS = try options.bool("bos") ?? true
    try checkCancellation()
    do throws(LacunaError) {
      return [try body(scorer, prompt, answer)]
    } catch {
      return [.nil, .error(code: error.code.description, message: error.message)]
    }
  }
}
