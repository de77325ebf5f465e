import Foundation
import LacunaEngine
import LacunaTestSupport
import Testing

@Suite("Hugging Face directories")
struct HuggingFaceSourceTests {
  private let directory: TemporaryDirectory
  private let keeper = Keeper()

  init() throws { directory = try TemporaryDirectory() }

  private func refusal(_ checkpoint: TinyCheckpoint) throws -> LacunaError {
    try checkpoint.write(to: directory)
    return try #require(throws: LacunaError.self) { _ = try HuggingFaceSource(path: directory.path) }
  }

  @Test("weights stay where they lie in the file")
  func inPlace() throws {
    let checkpoint = TinyCheckpoint()
    try checkpoint.write(to: directory)
    let source = keeper.keep(try HuggingFaceSource(path: directory.path))
    let matrix = try #require(source.matrix("lm_head.weight"))
    let expected = try #require(checkpoint.tensors.first { $0.name == "lm_head.weight" }).bytes
    #expect(Array(UnsafeRawBufferPointer(start: matrix.data, count: matrix.byteCount)) == expected)
    #expect(source.formatDescription == "bfloat16" && source.warnings.isEmpty && source.owners.count == 1)
    #expect(source.tensors.map(\.name) == checkpoint.tensors.map(\.name))
  }

  @Test("shards give the same tensors as a single file")
  func shards() throws {
    let checkpoint = TinyCheckpoint()
    try checkpoint.writeSharded(3, to: directory)
    let source = keeper.keep(try HuggingFaceSource(path: directory.path))
    for tensor in checkpoint.tensors where tensor.shape.count == 2 {
      let matrix = try #require(source.matrix(tensor.name))
      #expect(Array(UnsafeRawBufferPointer(start: matrix.data, count: matrix.byteCount)) == tensor.bytes)
    }
  }

  @Test(
    "an index may name files beside it and nothing else",
    arguments: [
      "../model-1-of-2.safetensors", "/etc/passwd", "sub/x.safetensors", "..", "", ".safetensors", "x.bin",
      "a\\u0000.safetensors",
    ])
  func escapes(name: String) throws {
    try TinyCheckpoint().writeSharded(2, to: directory)
    try directory.write(#"{"weight_map":{"lm_head.weight":"\#(name)"}}"#, to: "model.safetensors.index.json")
    let error = try #require(throws: LacunaError.self) { _ = try HuggingFaceSource(path: directory.path) }
    #expect(error.message.contains("index.json: weight_map.lm_head.weight: expected the plain name"))
  }

  @Test("an index and shards that disagree are refused, both ways")
  func indexDisagrees() throws {
    try TinyCheckpoint().writeSharded(2, to: directory)
    let path = "\(directory.path)/model.safetensors.index.json"
    let good = try String(contentsOfFile: path, encoding: .utf8)
    for (old, new, message) in [
      (
        "\"lm_head.weight\"", "\"lm_head.weights\"",
        "lm_head.weights: expected the tensor, as the index says, found none"
      ),
      ("\"lm_head.weight\": \"model-2", "\"lm_head.weight\": \"model-1", "found it in"),
      ("model-2-of-2", "model-3-of-2", "model-3-of-2.safetensors: cannot open"),
      ("\"weight_map\"", "\"weights\"", "weight_map: expected an object, found nothing"),
    ] {
      try directory.write(good.replacingOccurrences(of: old, with: new), to: "model.safetensors.index.json")
      let error = try #require(throws: LacunaError.self) { _ = try HuggingFaceSource(path: directory.path) }
      #expect(error.message.contains(message), "\(error)")
    }
    let left = good.components(separatedBy: ", \"lm_head.weight\"")[0] + "}}"
    try directory.write(left, to: "model.safetensors.index.json")
    let error = try #require(throws: LacunaError.self) { _ = try HuggingFaceSource(path: directory.path) }
    #expect(error.message.contains("no \"lm_head.weight\""))
  }

  @Test("a directory without weights or configuration says what it wants")
  func missingFiles() throws {
    let none = try #require(throws: LacunaError.self) { _ = try HuggingFaceSource(path: directory.path) }
    #expect(none.code == .notFound && none.message.contains("config.json"))
    try directory.write(TinyCheckpoint().configText, to: "config.json")
    try directory.write("x", to: "pytorch_model.bin")
    let weights = try #require(throws: LacunaError.self) { _ = try HuggingFaceSource(path: directory.path) }
    #expect(
      weights.message.contains("expected model.safetensors") && weights.message.contains("found pytorch_model.bin"))
  }

  @Test("a missing, misshapen or mistyped tensor is refused by name")
  func tensors() throws {
    for name in TinyCheckpoint().tensors.map(\.name) {
      var missing = TinyCheckpoint()
      missing.tensors.removeAll { $0.name == name }
      #expect(try refusal(missing).message.contains("model.safetensors: \(name): expected a tensor"))
      var misshapen = TinyCheckpoint()
      misshapen.replace(.bf16(name, [7], [Float](repeating: 1, count: 7)))
      #expect(try refusal(misshapen).message.contains("\(name): expected shape"))
      var mistyped = TinyCheckpoint()
      let shape = try #require(mistyped.tensors.first { $0.name == name }).shape
      mistyped.replace(TensorBytes(name, "I8", shape, [UInt8](repeating: 1, count: shape.reduce(1, *))))
      let error = try refusal(mistyped)
      #expect(error.code == .unsupported && error.message.contains("\(name): expected F32, F16"))
    }
  }

  @Test("norms and biases that are not finite are refused", arguments: [Float.nan, .infinity])
  func notFinite(value: Float) throws {
    var checkpoint = TinyCheckpoint()
    checkpoint.replace(.f32("model.norm.weight", [8], [1, 1, 1, 1, 1, value, 1, 1]))
    #expect(try refusal(checkpoint).message.contains("model.norm.weight: expected finite values, found \(value) at 5"))
  }

  @Test("a tied head need not be stored, and if it is must be the embedding")
  func tied() throws {
    var checkpoint = TinyCheckpoint()
    checkpoint.config["tie_word_embeddings"] = "true"
    #expect(try refusal(checkpoint).message.contains("lm_head.weight: expected the bytes of model.embed_tokens.weight"))
    let embedding = try #require(checkpoint.tensors.first { $0.name == "model.embed_tokens.weight" })
    checkpoint.replace(TensorBytes("lm_head.weight", embedding.type, embedding.shape, embedding.bytes))
    try checkpoint.write(to: directory)
    #expect(try HuggingFaceSource(path: directory.path).warnings.isEmpty)
    checkpoint.tensors.removeAll { $0.name == "lm_head.weight" }
    try checkpoint.write(to: directory)
    let weights = try CheckpointLoader.weights(
      of: try HuggingFaceSource(path: directory.path), choice: .stored, quantizesHead: false, progress: nil)
    #expect(weights.head.weight.data == weights.embedding.data)
  }

  @Test("biases are wanted where the configuration says so, and read")
  func biases() throws {
    var checkpoint = TinyCheckpoint()
    checkpoint.config["attention_bias"] = "true"
    checkpoint.config["mlp_bias"] = "true"
    #expect(try refusal(checkpoint).message.contains("self_attn.q_proj.bias"))
    for linear in TinyCheckpoint.linears {
      checkpoint.tensors.append(.f32(linear.name + ".bias", [linear.rows], (0..<linear.rows).map { Float($0) - 1.5 }))
    }
    try checkpoint.write(to: directory)
    let weights = try CheckpointLoader.weights(
      of: try HuggingFaceSource(path: directory.path), choice: .stored, quantizesHead: false, progress: nil)
    #expect(weights.layers[0].key.bias == [-1.5, -0.5, 0.5, 1.5])
    #expect(weights.layers[0].down.bias?.count == 8)
  }

  @Test("unknown tensors warn, and old releases' buffers do not")
  func unknown() throws {
    var checkpoint = TinyCheckpoint()
    checkpoint.tensors.append(.f32("model.layers.0.self_attn.rotary_emb.inv_freq", [2], [1, 2]))
    checkpoint.tensors.append(.f32("model.layers.9.strange", [1], [1]))
    try checkpoint.write(to: directory)
    let warnings = try HuggingFaceSource(path: directory.path).warnings
    #expect(warnings.count == 1 && warnings[0].contains("model.layers.9.strange"))
  }

  @Test("tensors at odd addresses are read all the same")
  func misaligned() throws {
    let checkpoint = TinyCheckpoint()
    for padding in 0..<8 {
      try directory.write(checkpoint.configText, to: "config.json")
      try directory.write(safetensors(checkpoint.tensors, padding: padding), to: "model.safetensors")
      let source = keeper.keep(try HuggingFaceSource(path: directory.path))
      let matrix = try #require(source.matrix("lm_head.weight"))
      #expect(UInt(bitPattern: matrix.data).isMultiple(of: 2))
      let expected = try #require(checkpoint.tensors.first { $0.name == "lm_head.weight" }).bytes
      #expect(Array(UnsafeRawBufferPointer(start: matrix.data, count: matrix.byteCount)) == expected)
    }
  }

  @Test("the fingerprint is the content's: the same elsewhere, another with any change")
  func fingerprint() throws {
    func fingerprint(_ checkpoint: TinyCheckpoint) throws -> String {
      let directory = try TemporaryDirectory()
      try checkpoint.write(to: directory)
      return try HuggingFaceSource(path: directory.path).fingerprint
    }
    let first = try fingerprint(TinyCheckpoint())
    #expect(first.count == 64)
    #expect(try fingerprint(TinyCheckpoint()) == first)
    var other = TinyCheckpoint()
    other.tensors[3].bytes[5] ^= 1
    #expect(try fingerprint(other) != first)
    other = TinyCheckpoint()
    other.config["rms_norm_eps"] = "2e-5"
    #expect(try fingerprint(other) != first)
  }

  @Test("the chat template is found in all its places")
  func chatTemplate() throws {
    try TinyCheckpoint().write(to: directory)
    func template(_ config: String) throws -> String? {
      try directory.write(config, to: "tokenizer_config.json")
      return try HuggingFaceSource(path: directory.path).chatTemplate
    }
    #expect(try template(#"{"model_max_length": 1e30, "chat_template": "{{ a }}"}"#) == "{{ a }}")
    #expect(try template(#"{"chat_template": null}"#) == nil)
    #expect(
      try template(#"{"chat_template": [{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]}"#) == "d"
    )
    #expect(throws: LacunaError.self) { _ = try template(#"{"chat_template": 5}"#) }
    let long = String(repeating: "x", count: (1 << 20) + 1)
    #expect(throws: LacunaError.self) { _ = try template(#"{"chat_template": "\#(long)x"}"#) }
    try directory.write("{}", to: "tokenizer_config.json")
    try directory.write("own", to: "chat_template.jinja")
    #expect(try HuggingFaceSource(path: directory.path).chatTemplate == "own")
  }
}
