import LacunaEngine
import LacunaScript
import Testing

/// One token a letter: 0 is BOS, 1 EOS, 2... are "a", "b", ..., 28 is a space; other letters are 40.
struct LetterTokenizer: Tokenizer {
  let vocabularySize = 64
  let bos: TokenID? = 0
  let eos: TokenID? = 1
  let fingerprint = "letters"

  func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] {
    var ids: [TokenID] = bos ? [0] : []
    var rest = Substring(text)
    while let letter = rest.first {
      if special, rest.hasPrefix("</s>") {
        ids.append(1)
        rest = rest.dropFirst(4)
        continue
      }
      switch letter.asciiValue {
      case let code? where (97...122).contains(code): ids.append(TokenID(code) - 95)
      case 32?: ids.append(28)
      default: ids.append(40)
      }
      rest = rest.dropFirst()
    }
    return ids
  }

  func bytes(of token: TokenID, special: Bool) -> [UInt8] {
    switch token {
    case 2..<28: [UInt8(token) + 95]
    case 28: [32]
    case 40: [63]
    default: []
    }
  }

  func piece(_ token: TokenID) -> String { token == 1 ? "</s>" : "<\(token)>" }
  func isControl(_ token: TokenID) -> Bool { token < 2 }
}

/// A small engine with random weights, and scripts run against it.
enum ScriptBench {
  static let config = ModelConfig(
    vocabSize: 64, hiddenSize: 32, intermediateSize: 64, numHiddenLayers: 1, numAttentionHeads: 2,
    numKeyValueHeads: 1, headDim: 16, maxPositionEmbeddings: 256, bosTokenID: 0, eosTokenIDs: [1])

  static func engine(seed: UInt64 = 3) throws -> Engine {
    var options = Engine.Options()
    options.threadCount = 1
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: seed),
      tokenizer: LetterTokenizer(), name: "synthetic-\(seed)", fingerprint: "synthetic-\(seed)", options: options)
  }

  static let shared = Result { (try engine(seed: 3), try engine(seed: 4)) }

  static func environment() throws -> ScriptEnvironment {
    let (first, second) = try shared.get()
    return ScriptEnvironment { name in
      switch name {
      case nil, "first": return first
      case "second": return second
      default: throw LacunaError(.notFound, "no model named \"\(name ?? "")\"")
      }
    }
  }

  /// Runs `source` with `lacuna`, `m` (the model) and `s` (a session over "abc") at hand.
  static func run(_ source: String, arguments: [String] = []) throws {
    try LuaHost(try environment()).run(
      LuaHost.Script(name: "test", source: prelude + source), arguments: arguments)
  }

  static let prelude =
    "local lacuna = require 'lacuna'; local m = assert(lacuna.model()); local s = m:session { text = 'abc' }; "

  /// The error that `source` ends with.
  static func failure(_ source: String) throws -> ScriptError {
    do {
      try run(source)
    } catch let error as ScriptError {
      return error
    }
    throw NoFailure()
  }

  struct NoFailure: Error {}

  /// A bare runtime on this test's own deep stack.
  static func withRuntime<Value>(_ body: (ScriptRuntime) throws -> Value) throws -> Value {
    let environment = try environment()
    return try withoutActuallyEscaping(body) { body in
      try ScriptThread.run { Result { try body(try ScriptRuntime(environment)) } }.get()
    }
  }
}
