internal import LacunaEngine

/// A loaded model, as scripts hold it.
final class ModelObject: ScriptObject {
  static var scriptType: ScriptType { .model }
  let engine: Engine
  /// One for all, so that it compares quickly and keeps its handle.
  let vocabulary: VocabularyObject

  init(engine: Engine) {
    self.engine = engine
    vocabulary = VocabularyObject(engine: engine)
  }

  func tokenizer() throws -> any Tokenizer {
    guard let tokenizer = engine.tokenizer else {
      throw LacunaError(.unsupported, "\(engine.info.name) ships no tokenizer; use token ids")
    }
    return tokenizer
  }

  var info: LuaValue {
    let (info, config) = (engine.info, engine.config)
    let bytes = WeightType.allCases.compactMap { type in
      info.weightBytes[type].map { (LuaValue.string(type.rawValue), LuaValue.count($0)) }
    }
    return .record([
      "name": .string(info.name), "path": .string(info.path), "sha256": .string(info.fingerprint),
      "stored": .string(info.stored), "weights": .text(info.mainWeightType?.rawValue),
      "weight_bytes": .table(LuaTable(fields: bytes)), "parameters": .count(info.parameterCount),
      "layers": .count(config.numHiddenLayers), "hidden": .count(config.hiddenSize),
      "heads": .count(config.numAttentionHeads), "kv_heads": .count(config.numKeyValueHeads),
      "tied_embeddings": .bool(config.tieWordEmbeddings), "vocab": .count(config.vocabSize),
      "context": .count(engine.contextLength),
      "kernels": .string(info.kernels), "threads": .count(info.threadCount),
      "precision": .string(engine.options.precision.rawValue), "kv": .string(info.kvType.rawValue),
      "kv_bytes_per_token": .count(info.kvBytesPerToken),
    ])
  }
}

/// A model's vocabulary: equal to another where their tokenizers are identical.
final class VocabularyObject: ScriptObject {
  static var scriptType: ScriptType { .vocab }
  let engine: Engine

  init(engine: Engine) { self.engine = engine }

  func isEqual(_ other: VocabularyObject) -> Bool {
    if engine === other.engine { return true }
    guard let mine = engine.tokenizer, let theirs = other.engine.tokenizer else { return false }
    return mine.fingerprint == theirs.fingerprint && engine.config.vocabSize == other.engine.config.vocabSize
  }
}
