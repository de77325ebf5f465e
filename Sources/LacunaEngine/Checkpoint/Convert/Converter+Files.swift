/// Everything of a Hugging Face directory but the weights.
extension Converter {
  /// Files that say how text becomes tokens, taken over as they are.
  private static let tokenizerFiles = [
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json",
  ]
  private static let generationConfig = "generation_config.json"
  private static let fileLimit = 64 << 20

  /// - Returns: the names of the files written.
  static func writeSmallFiles(
    of source: any CheckpointSource, into staged: StagedDirectory, type: Target, quantizesHead: Bool
  ) throws(LacunaError) -> [String] {
    var files: [(name: String, bytes: [UInt8])] = [
      ("config.json", config(source.config, type: type, quantizesHead: quantizesHead).rendered())
    ]
    if let gguf = source as? GGUFSource {
      files += try GGUFTokenizerFiles.make(gguf)
    } else if isDirectory(source.path) {
      for name in tokenizerFiles + [generationConfig] where fileExists("\(source.path)/\(name)") {
        files.append((name, try readFile("\(source.path)/\(name)", limit: fileLimit)))
      }
    }
    if !files.contains(where: { $0.name == generationConfig }) {
      files.append((generationConfig, JSONText.object(tokenIDs(source.config)).rendered()))
    }
    for file in files { try OutputFile.write(file.bytes, to: staged.file(file.name)) }
    return files.map(\.name)
  }

  static func config(_ config: ModelConfig, type: Target, quantizesHead: Bool) -> JSONText {
    var members: [(String, JSONText)] = [
      ("architectures", .array([.string("LlamaForCausalLM")])),
      ("attention_bias", .bool(config.attentionBias)),
    ]
    members += tokenIDs(config)
    members += [
      ("dtype", .string("bfloat16")),
      ("head_dim", .integer(config.headDim)),
      ("hidden_act", .string("silu")),
      ("hidden_size", .integer(config.hiddenSize)),
      ("intermediate_size", .integer(config.intermediateSize)),
      ("max_position_embeddings", .integer(config.maxPositionEmbeddings)),
      ("mlp_bias", .bool(config.mlpBias)),
      ("model_type", .string("llama")),
      ("num_attention_heads", .integer(config.numAttentionHeads)),
      ("num_hidden_layers", .integer(config.numHiddenLayers)),
      ("num_key_value_heads", .integer(config.numKeyValueHeads)),
      ("rms_norm_eps", .real(config.rmsNormEps)),
      ("rope_scaling", ropeScaling(config)),
      ("rope_theta", .real(config.ropeTheta)),
      ("tie_word_embeddings", .bool(config.tieWordEmbeddings)),
      ("torch_dtype", .string("bfloat16")),
      ("vocab_size", .integer(config.vocabSize)),
    ]
    if type == .fp8 { members.append(("quantization_config", quantization(quantizesHead: quantizesHead))) }
    return .object(members)
  }

  private static func tokenIDs(_ config: ModelConfig) -> [(String, JSONText)] {
    let ends = config.eosTokenIDs.map { JSONText.integer(Int($0)) }
    return [
      ("bos_token_id", config.bosTokenID.map { .integer(Int($0)) } ?? .null),
      ("eos_token_id", ends.count == 1 ? ends[0] : ends.isEmpty ? .null : .array(ends)),
    ]
  }

  private static func ropeScaling(_ config: ModelConfig) -> JSONText {
    switch config.ropeScaling {
    case .none: return .null
    case .linear(let factor): return .object([("rope_type", .string("linear")), ("factor", .real(factor))])
    case .dynamic(let factor, _):
      // What it was trained on is max_position_embeddings.
      return .object([("rope_type", .string("dynamic")), ("factor", .real(factor))])
    case .llama3(let factor, let low, let high, let original):
      return .object([
        ("rope_type", .string("llama3")), ("factor", .real(factor)), ("low_freq_factor", .real(low)),
        ("high_freq_factor", .real(high)), ("original_max_position_embeddings", .integer(original)),
      ])
    }
  }

  /// compressed-tensors' description of weights in E4M3 with one scale an output channel. Activations are left
  /// alone: the engine does not quantize them either.
  private static func quantization(quantizesHead: Bool) -> JSONText {
    let weights: [(String, JSONText)] = [
      ("num_bits", .integer(8)), ("type", .string("float")), ("symmetric", .bool(true)),
      ("strategy", .string("channel")), ("dynamic", .bool(false)),
    ]
    let group: [(String, JSONText)] = [
      ("targets", .array([.string("Linear")])), ("weights", .object(weights)), ("input_activations", .null),
      ("output_activations", .null),
    ]
    return .object([
      ("quant_method", .string("compressed-tensors")), ("format", .string("float-quantized")),
      ("quantization_status", .string("compressed")), ("kv_cache_scheme", .null),
      ("ignore", .array(quantizesHead ? [] : [.string("lm_head")])),
      ("config_groups", .object([("group_0", .object(group))])),
    ])
  }
}
