// A Hugging Face directory written from scratch, small enough to be broken in every way.
import LacunaEngine

/// A tensor to be written, as bytes.
package struct TensorBytes {
  package var name: String
  package var type: String
  package var shape: [Int]
  package var bytes: [UInt8]

  package init(_ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]) {
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  package static func f32(_ name: String, _ shape: [Int], _ values: [Float]) -> TensorBytes {
    TensorBytes(name, "F32", shape, values.flatMap { littleEndian($0.bitPattern) })
  }

  /// Values are cut to bfloat16.
  package static func bf16(_ name: String, _ shape: [Int], _ values: [Float]) -> TensorBytes {
    TensorBytes(name, "BF16", shape, values.flatMap { littleEndian(UInt16($0.bitPattern >> 16)) })
  }

  package static func f16(_ name: String, _ shape: [Int], _ values: [Float16]) -> TensorBytes {
    TensorBytes(name, "F16", shape, values.flatMap { littleEndian($0.bitPattern) })
  }

  package static func e4m3(_ name: String, _ shape: [Int], _ codes: [UInt8]) -> TensorBytes {
    TensorBytes(name, "F8_E4M3", shape, codes)
  }
}

package func littleEndian<Integer: FixedWidthInteger>(_ value: Integer) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// A safetensors file around the given header; the length field is the header's own.
package func safetensors(header: String, data: [UInt8]) -> [UInt8] {
  littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + data
}

/// A safetensors file of these tensors, one after the other.
/// - Parameter padding: spaces after the header, to move the data about.
package func safetensors(_ tensors: [TensorBytes], padding: Int = 0) -> [UInt8] {
  var members: [String] = ["\"__metadata__\":{\"format\":\"pt\"}"]
  var data: [UInt8] = []
  for tensor in tensors {
    let end = data.count + tensor.bytes.count
    members.append(
      "\"\(tensor.name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),\"data_offsets\":[\(data.count),\(end)]}"
    )
    data += tensor.bytes
  }
  return safetensors(
    header: "{" + members.joined(separator: ",") + "}" + String(repeating: " ", count: padding), data: data)
}

/// A Llama of one layer: vocabulary 12, hidden size 8, 2 heads of 4 over 1 key-value head, intermediate size 6.
package struct TinyCheckpoint {
  /// config.json, a member's JSON text by name.
  package var config: [String: String] = [
    "architectures": "[\"LlamaForCausalLM\"]", "model_type": "\"llama\"", "vocab_size": "12", "hidden_size": "8",
    "intermediate_size": "6", "num_hidden_layers": "1", "num_attention_heads": "2", "num_key_value_heads": "1",
    "max_position_embeddings": "64", "rms_norm_eps": "1e-05", "hidden_act": "\"silu\"", "rope_theta": "10000.0",
    "tie_word_embeddings": "false", "torch_dtype": "\"bfloat16\"", "bos_token_id": "1", "eos_token_id": "2",
  ]
  package var generation: String?
  package var tensors: [TensorBytes] = []

  package static let linears: [(name: String, rows: Int, cols: Int)] = [
    ("model.layers.0.self_attn.q_proj", 8, 8), ("model.layers.0.self_attn.k_proj", 4, 8),
    ("model.layers.0.self_attn.v_proj", 4, 8), ("model.layers.0.self_attn.o_proj", 8, 8),
    ("model.layers.0.mlp.gate_proj", 6, 8), ("model.layers.0.mlp.up_proj", 6, 8),
    ("model.layers.0.mlp.down_proj", 8, 6),
  ]

  /// All weights in BF16, seeded.
  package init() {
    var random = SeededRandom(seed: 7)
    func values(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.normal()) } }
    tensors.append(.bf16("model.embed_tokens.weight", [12, 8], values(96)))
    for linear in Self.linears {
      tensors.append(.bf16(linear.name + ".weight", [linear.rows, linear.cols], values(linear.rows * linear.cols)))
    }
    for name in ["model.layers.0.input_layernorm", "model.layers.0.post_attention_layernorm", "model.norm"] {
      tensors.append(.bf16(name + ".weight", [8], values(8)))
    }
    tensors.append(.bf16("lm_head.weight", [12, 8], values(96)))
  }

  /// The same with E4M3 projections: code 0x38 (one) but for a few, and scales made by `scale`.
  package init(quantization: String, scale: (_ name: String, _ rows: Int, _ cols: Int) -> TensorBytes) {
    self.init()
    config["quantization_config"] = quantization
    for linear in Self.linears {
      let codes = (0..<linear.rows * linear.cols).map { (index: Int) -> UInt8 in
        let magnitude = (index * 37 + 5) % 127
        return UInt8(index.isMultiple(of: 3) ? magnitude + 128 : magnitude)
      }
      replace(.e4m3(linear.name + ".weight", [linear.rows, linear.cols], codes))
      tensors.append(scale(linear.name, linear.rows, linear.cols))
    }
  }

  package mutating func replace(_ tensor: TensorBytes) {
    tensors.removeAll { $0.name == tensor.name }
    tensors.append(tensor)
  }

  package var configText: String {
    "{" + config.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
  }

  package func write(to directory: TemporaryDirectory) throws {
    try directory.write(configText, to: "config.json")
    if let generation { try directory.write(generation, to: "generation_config.json") }
    try directory.write(safetensors(tensors), to: "model.safetensors")
  }

  /// The same tensors, dealt out in turn to `count` shards, with an index.
  package func writeSharded(_ count: Int, to directory: TemporaryDirectory) throws {
    try directory.write(configText, to: "config.json")
    func name(_ shard: Int) -> String { "model-\(shard + 1)-of-\(count).safetensors" }
    for shard in 0..<count {
      try directory.write(
        safetensors(tensors.indices.filter { $0 % count == shard }.map { tensors[$0] }), to: name(shard))
    }
    let map = tensors.indices.map { "\"\(tensors[$0].name)\": \"\(name($0 % count))\"" }
    try directory.write(
      "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {\(map.joined(separator: ", "))}}",
      to: "model.safetensors.index.json")
  }
}
