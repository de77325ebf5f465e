// config.json and generation_config.json as Hugging Face writes them. Whatever would change the result and is not
// understood is refused by name; defaults are those of transformers' LlamaConfig.

extension ModelConfig {
  /// Bounds on what a file may ask for: several times the largest Llama, small enough that no product overflows.
  enum Limit {
    static let vocabulary = 1...(1 << 22)
    static let hidden = 1...(1 << 17)
    static let intermediate = 1...(1 << 20)
    static let layers = 1...1024
    static let heads = 1...1024
    static let headDim = 2...1024
    static let positions = 1...(1 << 24)
    static let rmsNormEps = 1e-12...0.1
    static let ropeTheta = 1.0...1e12
    static let ropeFactor = 1e-3...1024.0
  }

  /// - Parameters:
  ///   - config: config.json.
  ///   - generation: generation_config.json, where there is one.
  /// - Throws: `malformed` or `unsupported`, naming file and field.
  package init(config: JSONFields, generation: JSONFields?) throws(LacunaError) {
    try Self.checkArchitecture(config)
    let heads = try config.required("num_attention_heads", in: Limit.heads)
    let hidden = try config.required("hidden_size", in: Limit.hidden)
    let keyValueHeads = try config.integer("num_key_value_heads", in: Limit.heads) ?? heads
    guard heads % keyValueHeads == 0 else {
      throw config.refusal("num_key_value_heads", "a divisor of num_attention_heads (\(heads))", "\(keyValueHeads)")
    }
    let vocabulary = try config.required("vocab_size", in: Limit.vocabulary)
    let positions = try config.integer("max_position_embeddings", in: Limit.positions) ?? 2048
    let rope = try RoPEScaling.parse(config, maxPositionEmbeddings: positions)
    var ends = try Self.tokenIDs(config, "eos_token_id", vocabulary) ?? (vocabulary > 2 ? [2] : [])
    if let generation, let more = try Self.tokenIDs(generation, "eos_token_id", vocabulary) {
      ends += more.filter { !ends.contains($0) }
    }
    self.init(
      vocabSize: vocabulary, hiddenSize: hidden,
      intermediateSize: try config.required("intermediate_size", in: Limit.intermediate),
      numHiddenLayers: try config.required("num_hidden_layers", in: Limit.layers), numAttentionHeads: heads,
      numKeyValueHeads: keyValueHeads, headDim: try Self.headDim(config, hidden: hidden, heads: heads),
      maxPositionEmbeddings: positions,
      rmsNormEps: Float(try config.double("rms_norm_eps", in: Limit.rmsNormEps) ?? 1e-6), ropeTheta: rope.theta,
      ropeScaling: rope.scaling, tieWordEmbeddings: try config.bool("tie_word_embeddings") ?? false,
      attentionBias: try config.bool("attention_bias") ?? false, mlpBias: try config.bool("mlp_bias") ?? false,
      bosTokenID: try Self.beginning(config, vocabulary), eosTokenIDs: ends)
    if let generation {
      sampling.temperature = try generation.double("temperature", in: 0...1e6) ?? sampling.temperature
      sampling.topK = try generation.integer("top_k", in: 0...10_000_000) ?? sampling.topK
      sampling.topP = try generation.double("top_p", in: 0...1) ?? sampling.topP
    }
  }

  private static func checkArchitecture(_ config: JSONFields) throws(LacunaError) {
    guard let type = try config.string("model_type") else {
      throw config.refusal("model_type", "\"llama\" or \"mistral\"", "nothing")
    }
    switch type {
    case "llama": try checkClass(config, "LlamaForCausalLM")
    case "mistral":
      // Mistral is a Llama with a sliding window and other defaults: the same where it has none and says everything.
      try checkClass(config, "MistralForCausalLM")
      guard config.hasNull("sliding_window"), config["num_key_value_heads"] != nil,
        config["rms_norm_eps"] != nil, config["max_position_embeddings"] != nil
      else {
        throw config.refusal(
          "sliding_window", "null, with num_key_value_heads, rms_norm_eps and max_position_embeddings given",
          config["sliding_window"]?.shown ?? "less", .unsupported)
      }
    default:
      throw config.refusal("model_type", "\"llama\" or \"mistral\"", "\"\(type.clipped)\"", .unsupported)
    }
    try config.expect("hidden_act", .string("silu"))
    try config.expect("pretraining_tp", .integer(1))
    try config.expect("partial_rotary_factor", .integer(1), .double(1))
    try config.expect("is_encoder_decoder", .bool(false))
    try config.expect("add_cross_attention", .bool(false))
    // The stored types decide; the field is only held to be what it should be.
    for name in ["torch_dtype", "dtype"] {
      try config.expect(name, .string("bfloat16"), .string("float16"), .string("float32"), .string("auto"))
    }
  }

  private static func checkClass(_ config: JSONFields, _ name: String) throws(LacunaError) {
    guard let names = try config.strings("architectures") else { return }
    guard names == [name] else {
      throw config.refusal("architectures", "[\"\(name)\"]", "[\(names.joined(separator: ", ").clipped)]", .unsupported)
    }
  }

  private static func headDim(_ config: JSONFields, hidden: Int, heads: Int) throws(LacunaError) -> Int {
    let stated = try config.integer("head_dim", in: Limit.headDim)
    guard stated != nil || hidden % heads == 0 else {
      throw config.refusal(
        "hidden_size", "a multiple of num_attention_heads (\(heads)) where head_dim is absent", "\(hidden)")
    }
    let headDim = stated ?? hidden / heads
    guard Limit.headDim.contains(headDim), headDim.isMultiple(of: 2) else {
      throw config.refusal("head_dim", "an even number up to \(Limit.headDim.upperBound)", "\(headDim)")
    }
    return headDim
  }

  private static func beginning(_ config: JSONFields, _ vocabulary: Int) throws(LacunaError) -> TokenID? {
    if config.hasNull("bos_token_id") { return nil }
    return TokenID(try config.integer("bos_token_id", in: 0...(vocabulary - 1)) ?? min(1, vocabulary - 1))
  }

  /// An id, a list of ids, or null; nil where the member is absent.
  private static func tokenIDs(_ fields: JSONFields, _ name: String, _ vocabulary: Int) throws(LacunaError)
    -> [TokenID]?
  {
    let values: [JSONValue]
    switch fields[name] {
    case nil: return fields.hasNull(name) ? [] : nil
    case .array(let elements): values = elements
    case let value?: values = [value]
    }
    guard values.count <= 1024 else { throw fields.refusal(name, "at most 1024 ids", "\(values.count)") }
    var ids: [TokenID] = []
    for value in values {
      guard case .integer(let id) = value, (0..<vocabulary).contains(id), let id = TokenID(exactly: id) else {
        throw fields.refusal(name, "token ids from 0 to \(vocabulary - 1)", value.shown)
      }
      if !ids.contains(id) { ids.append(id) }
    }
    return ids
  }
}
