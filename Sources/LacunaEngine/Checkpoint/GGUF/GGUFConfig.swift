/// A GGUF file's metadata as a `ModelConfig`. What cannot be expressed in one is refused by name.
enum GGUFConfig {
  /// The same bounds as on a config.json: what is converted must open again.
  private typealias Limit = ModelConfig.Limit

  /// - Parameter biases: whether the file holds attention biases and MLP biases.
  static func read(
    _ file: GGUFFile, attentionBias: Bool, mlpBias: Bool, isTied: Bool
  ) throws(LacunaError) -> ModelConfig {
    let hidden = try required(file, "llama.embedding_length", in: Limit.hidden)
    let heads = try sameInEveryLayer(file, "llama.attention.head_count", in: Limit.heads)
    let kvHeads =
      file.metadata["llama.attention.head_count_kv"] == nil
      ? heads : try sameInEveryLayer(file, "llama.attention.head_count_kv", in: Limit.heads)
    guard heads % kvHeads == 0 else {
      throw file.mismatch("llama.attention.head_count_kv", "a divisor of head_count \(heads)", "\(kvHeads)")
    }
    let headDim = try headDim(file, hidden: hidden, heads: heads)
    let context = try required(file, "llama.context_length", in: Limit.positions)
    let vocabSize = try vocabularySize(file)
    let epsilonKey = "llama.attention.layer_norm_rms_epsilon"
    guard let eps = try file.real(epsilonKey, in: Limit.rmsNormEps) else {
      throw file.mismatch(epsilonKey, "a number", "no such key")
    }
    if let experts = try file.integer("llama.expert_count", in: 0...(1 << 16)), experts > 0 {
      throw LacunaError(
        .unsupported, file: file.path, field: "llama.expert_count", expected: "0 (no mixture of experts)",
        found: "\(experts)")
    }
    let theta = try file.real("llama.rope.freq_base", in: Limit.ropeTheta) ?? 10_000
    return ModelConfig(
      vocabSize: vocabSize, hiddenSize: hidden,
      intermediateSize: try sameInEveryLayer(file, "llama.feed_forward_length", in: Limit.intermediate),
      numHiddenLayers: try required(file, "llama.block_count", in: Limit.layers), numAttentionHeads: heads,
      numKeyValueHeads: kvHeads, headDim: headDim, maxPositionEmbeddings: context, rmsNormEps: Float(eps),
      ropeTheta: theta,
      ropeScaling: try GGUFRoPE.scaling(file, theta: theta, headDim: headDim, context: context),
      tieWordEmbeddings: isTied, attentionBias: attentionBias, mlpBias: mlpBias,
      bosTokenID: try tokenID(file, "tokenizer.ggml.bos_token_id", vocabSize),
      eosTokenIDs: try endTokens(file, vocabSize))
  }

  static func architecture(_ file: GGUFFile) throws(LacunaError) {
    let name = try file.string("general.architecture")
    guard name == "llama" else {
      throw LacunaError(
        name == nil ? .malformed : .unsupported, file: file.path, field: "general.architecture", expected: "llama",
        found: name.map { $0.clipped } ?? "no such key")
    }
  }

  private static func required(
    _ file: GGUFFile, _ key: String, in range: ClosedRange<Int>
  ) throws(LacunaError) -> Int {
    guard let value = try file.integer(key, in: range) else {
      throw file.mismatch(key, "an integer of \(range.lowerBound) to \(range.upperBound)", "no such key")
    }
    return value
  }

  /// A number that newer files may give for each layer; it must not differ between them.
  private static func sameInEveryLayer(
    _ file: GGUFFile, _ key: String, in range: ClosedRange<Int>
  ) throws(LacunaError) -> Int {
    guard case .array = file.metadata[key] else { return try required(file, key, in: range) }
    let values = try file.integers(key) ?? []
    guard let first = values.first, range.contains(first) else {
      throw file.mismatch(key, "integers of \(range.lowerBound) to \(range.upperBound)", "\(values.prefix(4))")
    }
    guard values.allSatisfy({ $0 == first }) else {
      throw LacunaError(
        .unsupported, file: file.path, field: key, expected: "the same number in every layer", found: "different ones")
    }
    return first
  }

  private static func headDim(_ file: GGUFFile, hidden: Int, heads: Int) throws(LacunaError) -> Int {
    let range = Limit.headDim
    let key = "llama.attention.key_length"
    let stated = try file.integer(key, in: range)
    guard stated != nil || hidden % heads == 0 else {
      throw file.mismatch(key, "a head size, for \(hidden) is no multiple of \(heads) heads", "no such key")
    }
    let headDim = stated ?? hidden / heads
    guard headDim % 2 == 0, range.contains(headDim) else { throw file.mismatch(key, "an even number", "\(headDim)") }
    for other in ["llama.attention.value_length", "llama.rope.dimension_count"] {
      if let value = try file.integer(other, in: range), value != headDim {
        throw LacunaError(
          .unsupported, file: file.path, field: other, expected: "the head size \(headDim)", found: "\(value)")
      }
    }
    return headDim
  }

  private static func vocabularySize(_ file: GGUFFile) throws(LacunaError) -> Int {
    guard let embedding = file.tensors.first(where: { $0.name == "token_embd.weight" }) else {
      throw file.mismatch("token_embd.weight", "a tensor", "none of this name")
    }
    let rows = embedding.rows
    let most = Limit.vocabulary.upperBound
    guard rows <= most else { throw file.mismatch("token_embd.weight", "at most \(most) rows", "\(rows)") }
    if let stated = try file.integer("llama.vocab_size", in: Limit.vocabulary), stated != rows {
      throw file.mismatch("llama.vocab_size", "the \(rows) rows of token_embd.weight", "\(stated)")
    }
    if let tokens = try file.stringCount("tokenizer.ggml.tokens"), tokens > rows {
      throw file.mismatch("tokenizer.ggml.tokens", "at most the \(rows) rows of token_embd.weight", "\(tokens)")
    }
    return rows
  }

  private static func tokenID(_ file: GGUFFile, _ key: String, _ vocabSize: Int) throws(LacunaError) -> TokenID? {
    // Writers that have no such token store -1 or its unsigned reading.
    switch file.metadata[key] {
    case .signed(-1), .unsigned(0xFFFF_FFFF): nil
    default: try file.integer(key, in: 0...(vocabSize - 1)).map(TokenID.init)
    }
  }

  /// The ids that the file says end a sequence, a turn or a message, then control tokens whose names say so: files
  /// made before the keys for turns existed name only the end of a text.
  private static func endTokens(_ file: GGUFFile, _ vocabSize: Int) throws(LacunaError) -> [TokenID] {
    var ends: [TokenID] = []
    for key in ["eos", "eot", "eom"] {
      if let id = try tokenID(file, "tokenizer.ggml.\(key)_token_id", vocabSize), !ends.contains(id) { ends.append(id) }
    }
    let names: Set<String> = ["<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end_of_turn|>", "<|endoftext|>"]
    let tokens = try file.strings("tokenizer.ggml.tokens") ?? []
    let types = (try file.integers("tokenizer.ggml.token_type") ?? []).map { Int32(truncatingIfNeeded: $0) }
    for (id, (token, type)) in zip(tokens, types).enumerated()
    where type == PieceType.control.rawValue && names.contains(token) {
      let id = TokenID(id)
      if !ends.contains(id) { ends.append(id) }
    }
    return ends
  }
}
