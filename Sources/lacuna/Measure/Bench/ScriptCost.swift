import LacunaEngine
import LacunaScript

/// What a script adds to a token: the time of generations with it over that of generations without it.
///
/// The model is next to nothing, with a vocabulary of 32,000 where that matters, so that the difference of two times is not
/// lost in them.
final class ScriptCost: Measurement {
  enum Script: String {
    case stage = "lua-stage"
    case hook = "lua-hook"

    /// Options of session:generate.
    var options: String {
      switch self {
      case .stage:
        """
        sampler = { function(logits) logits:mask_below(logits:max() + math.log(0.05)) end,
                    { "temperature", t = 0.8 }, { "dist" } }
        """
      case .hook: Self.plain + ", hooks = { on_token = function() end }"
      }
    }

    static let plain = "sampler = { { \"temperature\", t = 0.8 }, { \"dist\" } }"
  }

  private static let tokenCount = 256

  private let engine: Engine
  private let script: Script

  init(_ script: Script) throws(LacunaError) {
    let config = ModelConfig(
      vocabSize: script == .stage ? 32_000 : 256, hiddenSize: 64, intermediateSize: 64, numHiddenLayers: 1,
      numAttentionHeads: 1, numKeyValueHeads: 1, headDim: 64, maxPositionEmbeddings: 512, eosTokenIDs: [])
    var options = Engine.Options()
    options.threadCount = 1
    engine = try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 5), options: options)
    self.script = script
  }

  var name: String { script.rawValue }
  var title: String { script == .stage ? "a Lua stage of bulk operations adds" : "an empty Lua hook adds" }
  var unit: MeasuredUnit { .seconds }
  var bound: Bound { .budget(script == .stage ? 30e-6 : 3e-6) }

  func sample() throws -> Double {
    // What disturbs a measurement makes it longer: the least of a few is nearest to the truth.
    var (without, with) = (Double.infinity, Double.infinity)
    for _ in 0..<10 {
      without = min(without, try generate(Script.plain))
      with = min(with, try generate(script.options))
    }
    return max(with - without, 1e-9) / Double(Self.tokenCount)
  }

  private func generate(_ options: String) throws -> Double {
    let engine = self.engine
    let host = LuaHost(ScriptEnvironment { _ in engine })
    let source = """
      local session <close> = assert(require("lacuna").model()):session { tokens = { 1, 2, 3 } }
      session:generate { max_tokens = \(Self.tokenCount), \(options) }
      """
    return try seconds { try host.run(LuaHost.Script(name: "bench", source: source)) }
  }
}
