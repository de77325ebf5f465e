import LacunaEngine
import LacunaTestSupport
import Testing

/// Quantized checkpoints as the tools that write them describe them.
enum Scheme {
  static func compressedTensors(
    _ weights: String = #""strategy":"channel""#, ignore: String = #"["lm_head"]"#, targets: String = #"["Linear"]"#,
    format: String = "float-quantized", more: String = ""
  ) -> String {
    """
    {"quant_method":"compressed-tensors","format":"\(format)","quantization_status":"compressed","ignore":\(ignore),
     "config_groups":{"group_0":{"targets":\(targets),
       "weights":{"num_bits":8,"type":"float","symmetric":true,"dynamic":false,\(weights)},
       "input_activations":{"num_bits":8,"type":"float","strategy":"token","dynamic":true}}}\(more)}
    """
  }

  /// Scales 0.5, 0.75, ... that all three types hold exactly.
  static func scales(_ name: String, _ type: String, _ shape: [Int]) -> TensorBytes {
    let values = (0..<shape.reduce(1, *)).map { 0.5 + Float($0) * 0.25 }
    return switch type {
    case "F16": .f16(name, shape, values.map { Float16($0) })
    case "BF16": .bf16(name, shape, values)
    default: .f32(name, shape, values)
    }
  }
}

@Suite("FP8 schemes")
struct QuantizationSchemeTests {
  private let keeper = Keeper()

  private func open(_ checkpoint: TinyCheckpoint) throws -> HuggingFaceSource {
    let directory = try TemporaryDirectory()
    try checkpoint.write(to: directory)
    return keeper.keep(try HuggingFaceSource(path: directory.path))
  }

  struct Case: Sendable {
    let config: String
    let suffix: String
    let type: String
    /// Of the scales for [rows, cols].
    let shape: @Sendable (Int, Int) -> [Int]
    /// Block of one scale.
    let block: (rows: Int, cols: Int)
    let description: String
  }

  static let cases: [Case] = ["F32", "BF16", "F16"].flatMap { type in
    [
      Case(
        config: Scheme.compressedTensors(#""strategy":"tensor""#), suffix: "weight_scale", type: type,
        shape: { _, _ in [1] }, block: (100, 100), description: "compressed-tensors float-quantized, tensor"),
      Case(
        config: Scheme.compressedTensors(), suffix: "weight_scale", type: type, shape: { rows, _ in [rows, 1] },
        block: (1, 100), description: "compressed-tensors float-quantized, channel"),
      Case(
        config: Scheme.compressedTensors(#""strategy":"block","block_structure":[4,4]"#), suffix: "weight_scale",
        type: type, shape: { [($0 + 3) / 4, ($1 + 3) / 4] }, block: (4, 4),
        description: "compressed-tensors float-quantized, block 4x4"),
      Case(
        config: #"{"quant_method":"fp8","activation_scheme":"static"}"#, suffix: "weight_scale", type: type,
        shape: { _, _ in [] }, block: (100, 100), description: "fp8, tensor"),
      Case(
        config: #"{"quant_method":"fp8","fmt":"e4m3","activation_scheme":"dynamic","weight_block_size":[128,128]}"#,
        suffix: "weight_scale_inv", type: type, shape: { _, _ in [1, 1] }, block: (128, 128),
        description: "fp8, block 128x128"),
      Case(
        config: #"{"quant_method":"fbgemm_fp8","activation_scale_ub":1200.0,"modules_to_not_convert":["lm_head"]}"#,
        suffix: "weight_scale", type: type, shape: { rows, _ in [rows] }, block: (1, 100),
        description: "fbgemm_fp8, channel"),
    ]
  }

  @Test("values are codes times their scale, in every scheme and type of scale", arguments: cases.indices)
  func values(index: Int) throws {
    let example = Self.cases[index]
    var checkpoint = TinyCheckpoint(quantization: example.config) { name, rows, cols in
      Scheme.scales("\(name).\(example.suffix)", example.type, example.shape(rows, cols))
    }
    checkpoint.tensors.append(.f32("model.layers.0.mlp.up_proj.input_scale", [1], [1]))
    let source = try open(checkpoint)
    #expect(source.formatDescription.hasPrefix(example.description))
    #expect(source.warnings.isEmpty)
    for linear in TinyCheckpoint.linears {
      let codes = try #require(checkpoint.tensors.first { $0.name == linear.name + ".weight" }).bytes
      var found = [Float](repeating: 0, count: linear.rows * linear.cols)
      source.readRows(linear.name + ".weight", 0..<linear.rows, into: &found)
      let scalesPerRow = (linear.cols + example.block.cols - 1) / example.block.cols
      for row in 0..<linear.rows {
        for col in 0..<linear.cols {
          let scale = 0.5 + 0.25 * Float(row / example.block.rows * scalesPerRow + col / example.block.cols)
          let code = codes[row * linear.cols + col]
          #expect(found[row * linear.cols + col] == Float8E4M3(bits: code).float * scale)
        }
      }
    }
  }

  @Test("blocks that the kernels cannot read in place are decoded instead")
  func oddBlocks() throws {
    let config = Scheme.compressedTensors(#""strategy":"block","block_structure":"4x4""#)
    let source = try open(
      TinyCheckpoint(quantization: config) { Scheme.scales("\($0).weight_scale", "F32", [($1 + 3) / 4, ($2 + 3) / 4]) })
    #expect(source.matrix("model.layers.0.mlp.up_proj.weight") == nil)
    let weights = try CheckpointLoader.weights(of: source, choice: .stored, quantizesHead: false, progress: nil)
    #expect(weights.layers[0].up.weight.type == .bf16)
  }

  @Test("modules on the ignore list, by name, class or pattern, stay as they are")
  func ignored() throws {
    let ignore = #"["lm_head", "re:.*mlp\\.(gate|up)_proj$", "model.layers.0.self_attn.q_proj"]"#
    var checkpoint = TinyCheckpoint(quantization: Scheme.compressedTensors(ignore: ignore)) { name, rows, _ in
      Scheme.scales("\(name).weight_scale", "BF16", [rows, 1])
    }
    let plain = TinyCheckpoint()
    for name in ["mlp.gate_proj", "mlp.up_proj", "self_attn.q_proj"].map({ "model.layers.0.\($0)" }) {
      checkpoint.tensors.removeAll { $0.name == "\(name).weight_scale" }
      checkpoint.replace(try #require(plain.tensors.first { $0.name == "\(name).weight" }))
    }
    let source = try open(checkpoint)
    #expect(source.matrix("model.layers.0.mlp.up_proj.weight")?.type == .bf16)
    #expect(source.matrix("model.layers.0.mlp.down_proj.weight")?.type == .e4m3)
    #expect(source.warnings.isEmpty)
    // The same weights in E4M3 contradict the list.
    let contradiction = TinyCheckpoint(quantization: Scheme.compressedTensors(ignore: ignore)) { name, rows, _ in
      Scheme.scales("\(name).weight_scale", "BF16", [rows, 1])
    }
    #expect(throws: LacunaError.self) { _ = try open(contradiction) }
  }

  @Test(
    "a scheme that we do not know is refused, naming the field",
    arguments: [
      (#"{"quant_method":"gptq","bits":4}"#, "quant_method"), (#"{"bits":4}"#, "quant_method"),
      ("7", "quantization_config"),
      (Scheme.compressedTensors(format: "pack-quantized"), "format"),
      (Scheme.compressedTensors(#""strategy":"group","group_size":128"#), "strategy"),
      (Scheme.compressedTensors(#""strategy":"block""#), "block_structure"),
      (Scheme.compressedTensors(#""strategy":"block","block_structure":[0,128]"#), "block_structure"),
      (Scheme.compressedTensors(#""strategy":"block","block_structure":[128]"#), "block_structure"),
      (Scheme.compressedTensors(targets: "5"), "targets"), (Scheme.compressedTensors(ignore: "[1]"), "ignore"),
      (Scheme.compressedTensors(ignore: #"["re:("]"#), "pattern"),
      (Scheme.compressedTensors(more: #","transform_config":{"config_groups":{}}"#), "transform_config"),
      (Scheme.compressedTensors(more: #","sparsity_config":{"format":"sparse-24-bitmask"}"#), "sparsity_config"),
      (Scheme.compressedTensors().replacing("\"num_bits\":8", with: "\"num_bits\":4"), "num_bits"),
      (Scheme.compressedTensors().replacing("\"type\":\"float\"", with: "\"type\":\"int\""), "type"),
      (Scheme.compressedTensors().replacing("\"symmetric\":true", with: "\"symmetric\":false"), "symmetric"),
      (Scheme.compressedTensors().replacing("\"compressed\"", with: "\"frozen\""), "quantization_status"),
      (#"{"quant_method":"compressed-tensors","format":"float-quantized","config_groups":{}}"#, "config_groups"),
      (#"{"quant_method":"fp8","fmt":"e5m2"}"#, "fmt"),
      (#"{"quant_method":"fp8","activation_scheme":"x"}"#, "activation_scheme"),
      (#"{"quant_method":"fp8","weight_block_size":[128]}"#, "weight_block_size"),
      (#"{"quant_method":"fp8","weight_block_size":[1e9,1]}"#, "weight_block_size"),
    ])
  func refusals(config: String, field: String) throws {
    let checkpoint = TinyCheckpoint(quantization: config) { name, rows, _ in
      Scheme.scales("\(name).weight_scale", "F32", [rows, 1])
    }
    let error = try #require(throws: LacunaError.self) { _ = try open(checkpoint) }
    #expect(error.message.contains(field), "\(error)")
  }

  @Test(
    "scales that are missing, misshapen, of a strange type, or not finite and positive are refused",
    arguments: [Float.nan, .infinity, 0, -1, -0.0])
  func badScales(value: Float) throws {
    let name = "model.layers.0.mlp.up_proj.weight_scale"
    var checkpoint = TinyCheckpoint(quantization: Scheme.compressedTensors()) { name, rows, _ in
      Scheme.scales("\(name).weight_scale", "F32", [rows, 1])
    }
    checkpoint.replace(.f32(name, [6, 1], [1, 1, 1, value, 1, 1]))
    let bad = try #require(throws: LacunaError.self) { _ = try open(checkpoint) }
    #expect(
      bad.message.contains("model.safetensors: \(name): expected finite scales above 0") && bad.message.contains("at 3")
    )
    for shape in [[5, 1], [1], [6, 6], [1, 6], []] {
      checkpoint.replace(Scheme.scales(name, "F32", shape))
      let error = try #require(throws: LacunaError.self) { _ = try open(checkpoint) }
      #expect(error.message.contains("\(name): expected shape [6, 1] or [6], found \(shape)"))
    }
    checkpoint.replace(TensorBytes(name, "I32", [6, 1], [UInt8](repeating: 1, count: 24)))
    #expect(throws: LacunaError.self) { _ = try open(checkpoint) }
    checkpoint.tensors.removeAll { $0.name == name }
    let missing = try #require(throws: LacunaError.self) { _ = try open(checkpoint) }
    #expect(missing.message.contains("mlp.up_proj.weight: expected a tensor weight_scale beside it, found none"))
  }

  @Test("E4M3 without a scheme, and a scale beside an unquantized weight, are refused")
  func contradictions() throws {
    var quantized = TinyCheckpoint(quantization: Scheme.compressedTensors()) { name, rows, _ in
      Scheme.scales("\(name).weight_scale", "F32", [rows, 1])
    }
    quantized.config["quantization_config"] = nil
    #expect(throws: LacunaError.self) { _ = try open(quantized) }
    var plain = TinyCheckpoint()
    plain.tensors.append(.f32("model.layers.0.mlp.up_proj.weight_scale", [6, 1], [1, 1, 1, 1, 1, 1]))
    #expect(throws: LacunaError.self) { _ = try open(plain) }
  }
}
