internal import LacunaEngine

extension ScriptContext {
  /// `lacuna.sampler`: chain { ... }, stages().
  func registerSampler() {
    state.register("lacuna.sampler", "chain", "table|string|chain") { [unowned self] call in
      let chain = try ChainObject.read(call[1]) { .argument(1, $0) }
      try check(chain)
      return [.object(chain)]
    }
    state.register("lacuna.sampler", "stages", "") { _ in
      [
        .list(
          SamplerChain.catalogue.map { stage in
            .record([
              "name": .string(stage.name), "selector": .bool(stage.isSelector), "meaning": .string(stage.meaning),
              "params": .list(
                stage.parameters.map {
                  .record(["name": .string($0.name), "kind": .string($0.kind.rawValue), "meaning": .string($0.meaning)])
                }),
            ])
          })
      ]
    }
    // chain:explain(logits [, { tokens, seed, stream, top }]): what each stage leaves over.
    state.register(ScriptType.chain.name, "explain", "chain, vec, table?") { [unowned self] call in
      guard case .vector(let floats) = call[2] else { preconditionFailure("argument 2 is no Vec") }
      let options = try call.options(3, ["tokens", "seed", "stream", "top"])
      // A copy: a stage in Lua may close the session that the view belongs to.
      let logits = Array(floats)
      let tokens = try options.tokens("tokens") ?? []
      let top = try options.integer("top", in: 0...1000) ?? 5
      let (seed, stream) = (try options.bits("seed") ?? environment.seed, try options.bits("stream") ?? 0)
      let chain = try (call.object(1) as ChainObject).make(vocabularySize: logits.count, engine: nil, in: self)
      let reports = try logits.withUnsafeBufferPointer { logits in
        try tokens.withUnsafeBufferPointer { tokens in
          try chain.explain(
            logits, SamplingContext(tokens: tokens, promptCount: tokens.count, seed: seed, stream: stream), top: top)
        }
      }
      return [
        .list(
          reports.map { report in
            .record([
              "name": .string(report.name), "survivors": .count(report.survivors),
              "entropy": .number(report.entropy), "ids": .integers(report.topTokens),
              "probs": .list(report.topProbabilities.map { .number($0) }),
            ])
          })
      ]
    }
    state.register(ScriptType.chain.name, "__len", "chain") { [.count(($0.object(1) as ChainObject).stages.count)] }
  }

  /// Builds it once, for a large vocabulary, to find mistakes where they were made.
  private func check(_ chain: ChainObject) throws {
    let stages = try chain.stages.map { stage -> SamplerChain.Stage in
      switch stage {
      case .native(let description): return .native(description)
      case .script(let definition, _):
        return .external(name: definition.name, Placeholder(isSelector: definition.pick != nil))
      case .plugin(let name, let given):
        let sampler = try registry.checkedSampler(name, given)
        return .external(name: sampler.label, Placeholder(isSelector: sampler.stage.pick != nil))
      }
    }
    do throws(LacunaError) {
      _ = try SamplerChain(stages, vocabularySize: 1 << 18)
    } catch {
      // What needs a tokenizer is checked with one.
      if error.code != .unsupported { throw error }
    }
  }

  /// Stands for a script's stage where only the order matters.
  private final class Placeholder: SamplerChain.ExternalStage {
    let isSelector: Bool
    init(isSelector: Bool) { self.isSelector = isSelector }
    func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) {}
    func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) -> TokenID { 0 }
    func accept(_ token: TokenID) {}
    func fork() -> any SamplerChain.ExternalStage { self }
    func rewind(toAccepted count: Int) {}
  }
}
