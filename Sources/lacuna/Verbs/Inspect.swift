import ArgumentParser
import LacunaEngine

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What a checkpoint is, and the memory that it would take.",
    discussion: """
      Shows the configuration, the tensors by type, the quantization scheme, the tokenizer, and a memory plan: \
      weights as they would run, keys and values, scratch. The weights are not loaded.

        lacuna inspect smollm2 --weights fp8
        lacuna inspect ./checkpoint --tensors
      """)

  @Argument(help: "A known name, a directory or a GGUF file.")
  var model = "demo"

  @Option(help: "Plan for weights as they are stored, in bf16 or in fp8.")
  var weights: WeightChoice = .stored

  @Option(help: ArgumentHelp("With --weights fp8: the output head in bf16 or in fp8.", valueName: "type"))
  var lmHead: ModelOptions.HeadType = .bf16

  @Option(help: ArgumentHelp("Plan for keys and values of this type.", valueName: "type"))
  var kv: Engine.KVType = .bf16

  @Flag(help: "List every tensor.")
  var tensors = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let entry = try ModelChoice.resolve(model)
    let name = entry.name
    let source = try CheckpointLoader.open(entry.path)
    let tokenizer = try source.makeTokenizer()
    let plan = MemoryPlan(source: source, weights: weights, quantizesHead: lmHead == .fp8, kv: kv)
    var out = StandardOutput()
    if json {
      try out.line(record(name, source, tokenizer, plan).indentedText)
    } else {
      try printReport(name, source, tokenizer, plan, to: &out)
    }
    try out.flush()
  }

  private func printReport(
    _ name: String, _ source: any CheckpointSource, _ tokenizer: (any Tokenizer)?, _ plan: MemoryPlan,
    to out: inout StandardOutput
  ) throws(LacunaError) {
    let config = source.config
    try out.line("\(name)  \(source.path)")
    try out.line("  stored      \(source.formatDescription), \(formatCount(source.parameterCount)) weights")
    try out.line(
      "  shape       \(config.numHiddenLayers) layers, hidden \(config.hiddenSize), "
        + "intermediate \(config.intermediateSize), vocabulary \(config.vocabSize)")
    try out.line(
      "  attention   \(config.numAttentionHeads) heads of \(config.headDim), "
        + "\(config.numKeyValueHeads) for keys and values\(config.attentionBias ? ", with bias" : "")")
    try out.line(
      "  positions   \(config.maxPositionEmbeddings), RoPE base \(config.ropeTheta), \(config.ropeScaling.summary)")
    try out.line(
      "  head        \(config.tieWordEmbeddings ? "tied to the embedding" : "its own matrix")"
        + (config.mlpBias ? ", MLP with bias" : ""))
    let ends = config.eosTokenIDs.map(String.init).joined(separator: ", ")
    try out.line(
      "  tokens      BOS \(config.bosTokenID.map(String.init) ?? "none"), ends with \(ends.isEmpty ? "none" : ends)")
    try out.line(
      "  tokenizer   \(tokenizer.map { "\($0.vocabularySize) pieces" } ?? "none")"
        + (source.chatTemplate == nil ? "" : ", with a chat template"))
    try out.line("  identity    \(source.fingerprint)")
    for warning in source.warnings { try out.line("  warning     \(warning)") }

    try out.line("\ntensors by type")
    for group in Self.groups(source) {
      try out.line(
        "  \(group.type.padded(10))  \(String(group.count).aligned(5))  \(formatBytes(group.bytes).aligned(8))")
    }
    if tensors {
      let width = source.tensors.map(\.name.count).max() ?? 0
      for tensor in source.tensors {
        let shape = "[" + tensor.shape.map(String.init).joined(separator: ", ") + "]"
        try out.line("  \(tensor.name.padded(width))  \(tensor.typeName.padded(8))  \(shape)")
      }
    }

    try out.line("\nmemory, weights \(weights.rawValue), keys and values \(kv.rawValue)")
    try out.line("  weights                      \(formatBytes(plan.weightBytes).aligned(8))")
    try out.line("  keys and values, a token     \(formatBytes(plan.kvBytesPerToken).aligned(8))")
    try out.line(
      "  the same, \(plan.contextLength) tokens".padded(31) + formatBytes(plan.kvBytesAtFullContext).aligned(8))
    try out.line("  scratch, at most             \(formatBytes(plan.scratchBytes).aligned(8))")
  }

  private func record(
    _ name: String, _ source: any CheckpointSource, _ tokenizer: (any Tokenizer)?, _ plan: MemoryPlan
  ) -> JSON {
    let config = source.config
    var members: [(key: String, value: JSON)] = [
      ("name", .string(name)), ("path", .string(source.path)), ("format", .string(source.formatDescription)),
      ("parameters", .integer(source.parameterCount)), ("sha256", .string(source.fingerprint)),
      (
        "config",
        [
          "vocab_size": .integer(config.vocabSize), "hidden_size": .integer(config.hiddenSize),
          "intermediate_size": .integer(config.intermediateSize),
          "num_hidden_layers": .integer(config.numHiddenLayers),
          "num_attention_heads": .integer(config.numAttentionHeads),
          "num_key_value_heads": .integer(config.numKeyValueHeads), "head_dim": .integer(config.headDim),
          "max_position_embeddings": .integer(config.maxPositionEmbeddings),
          "rms_norm_eps": .float(config.rmsNormEps), "rope_theta": .number(config.ropeTheta),
          "rope_scaling": .string(config.ropeScaling.summary),
          "tie_word_embeddings": .bool(config.tieWordEmbeddings), "attention_bias": .bool(config.attentionBias),
          "mlp_bias": .bool(config.mlpBias),
          "bos_token_id": config.bosTokenID.map { .integer(Int($0)) } ?? .null,
          "eos_token_ids": JSON(config.eosTokenIDs),
        ]
      ),
      (
        "types",
        .object(
          Self.groups(source).map {
            (key: $0.type, value: ["tensors": .integer($0.count), "bytes": .integer($0.bytes)])
          })
      ),
      (
        "tokenizer",
        tokenizer.map { ["pieces": .integer($0.vocabularySize), "sha256": .string($0.fingerprint)] } ?? .null
      ),
      ("chat_template", .bool(source.chatTemplate != nil)),
      (
        "memory",
        [
          "weights": .integer(plan.weightBytes), "kv_per_token": .integer(plan.kvBytesPerToken),
          "kv_at_full_context": .integer(plan.kvBytesAtFullContext), "scratch": .integer(plan.scratchBytes),
        ]
      ),
      ("warnings", .array(source.warnings.map(JSON.string))),
    ]
    if tensors {
      let list = source.tensors.map { tensor -> JSON in
        [
          "name": .string(tensor.name), "type": .string(tensor.typeName),
          "shape": .array(tensor.shape.map(JSON.integer)), "bytes": .integer(tensor.byteCount),
        ]
      }
      members.append(("tensors", .array(list)))
    }
    return .object(members)
  }

  /// Tensors by their type on disk, the type with most bytes first.
  private static func groups(_ source: any CheckpointSource) -> [(type: String, count: Int, bytes: Int)] {
    var byType: [String: (count: Int, bytes: Int)] = [:]
    for tensor in source.tensors {
      byType[tensor.typeName, default: (0, 0)].count += 1
      byType[tensor.typeName, default: (0, 0)].bytes += tensor.byteCount
    }
    return byType.map { (type: $0.key, count: $0.value.count, bytes: $0.value.bytes) }
      .sorted { ($1.bytes, $0.type) < ($0.bytes, $1.type) }
  }
}

extension RoPEScaling {
  var summary: String {
    switch self {
    case .none: "unscaled"
    case .linear(let factor): "linear, factor \(factor)"
    case .dynamic(let factor, let original): "dynamic NTK, factor \(factor) beyond \(original)"
    case .llama3(let factor, let low, let high, let original):
      "llama3, factor \(factor), low \(low), high \(high), trained to \(original)"
    }
  }
}
