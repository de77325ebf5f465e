import LacunaEngine
import Testing

@Suite("GGUF as a checkpoint")
struct GGUFSourceTests {
  private func rows(_ source: GGUFSource, _ name: String, _ range: Range<Int>, cols: Int) -> [Float] {
    var values = [Float](repeating: .nan, count: range.count * cols)
    values.withUnsafeMutableBufferPointer { source.readRows(name, range, into: $0.baseAddress!) }
    return values
  }

  @Test("the configuration comes from the metadata")
  func config() throws {
    let spm = try GGUFSource.open(GGUFFixtures.path("tiny-spm.gguf"))
    #expect(
      spm.config
        == ModelConfig(
          vocabSize: 270, hiddenSize: 32, intermediateSize: 64, numHiddenLayers: 2, numAttentionHeads: 4,
          numKeyValueHeads: 2, headDim: 8, maxPositionEmbeddings: 128, rmsNormEps: 1e-5, ropeTheta: 50_000,
          attentionBias: true))
    #expect(spm.chatTemplate == "{{ messages }}")
    #expect(spm.formatDescription == "GGUF F16")
    let bpe = try GGUFSource.open(GGUFFixtures.path("tiny-bpe.gguf"))
    #expect(bpe.config.tieWordEmbeddings)
    #expect(
      bpe.config.ropeScaling
        == .llama3(factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 8192))
    // The end of the text is named by the key, the other one by its text.
    #expect(bpe.config.eosTokenIDs == [2, 0])
    #expect(bpe.config.bosTokenID == 1)
    #expect(bpe.chatTemplate == nil)
  }

  @Test("every row of every tensor has Hugging Face's place and value")
  func values() throws {
    let source = try GGUFSource.open(GGUFFixtures.path("tiny-spm.gguf"))
    // The order in which make_fixtures.py numbers its tensors.
    var names = ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"]
    for layer in 0..<2 {
      let prefix = "model.layers.\(layer)."
      names.append(prefix + "input_layernorm.weight")
      for letter in ["q", "k", "v", "o"] {
        names += [prefix + "self_attn.\(letter)_proj.weight", prefix + "self_attn.\(letter)_proj.bias"]
      }
      names.append(prefix + "post_attention_layernorm.weight")
      names += ["gate", "up", "down"].map { prefix + "mlp.\($0)_proj.weight" }
    }
    #expect(source.tensors.map(\.name) == names)
    for (number, tensor) in source.tensors.enumerated() {
      let found = rows(source, tensor.name, 0..<tensor.rows, cols: tensor.cols)
      let expected = (0..<tensor.rows).flatMap { r in (0..<tensor.cols).map { GGUFFixtures.value(number, r, $0) } }
      #expect(found == expected, "\(tensor.name)")
    }
    // Part of a tensor is the same rows.
    let part = rows(source, "model.layers.1.self_attn.q_proj.weight", 9..<14, cols: 32)
    #expect(
      part == rows(source, "model.layers.1.self_attn.q_proj.weight", 0..<32, cols: 32)[9 * 32..<14 * 32].map { $0 })
  }

  @Test("quantized rows are un-permuted too")
  func quantizedValues() throws {
    let source = try GGUFSource.open(GGUFFixtures.path("tiny-bpe.gguf"))
    guard case .object(let expected) = try GGUFFixtures.json("tiny-bpe.json") else {
      Issue.record("tiny-bpe.json is no object")
      return
    }
    for (name, entry) in expected {
      guard case .tensor(let known) = GGUFNames.meaning(of: name), case .integer(let cols) = entry["cols"] else {
        Issue.record("\(name) has no meaning")
        continue
      }
      #expect(rows(source, known, 0..<1, cols: cols) == floats(hex: entry["first"]), "\(name)")
      #expect(rows(source, known, 5..<6, cols: cols) == floats(hex: entry["sixth"]), "\(name)")
    }
    #expect(expected.count == 8)
  }

  @Test("matrices in order and in a plain type run where they lie; others are decoded")
  func inPlace() throws {
    let source = try GGUFSource.open(GGUFFixtures.path("tiny-spm.gguf"))
    let value = try #require(source.matrix("model.layers.0.self_attn.v_proj.weight"))
    #expect(value.type == .f16 && value.rows == 16 && value.cols == 32 && value.scales == nil)
    #expect(source.matrix("model.layers.0.self_attn.q_proj.weight") == nil)
    let quantized = try GGUFSource.open(GGUFFixtures.path("tiny-bpe.gguf"))
    #expect(quantized.matrix("model.embed_tokens.weight") == nil)
    #expect(quantized.matrix("model.norm.weight") == nil)
  }

  @Test("stored, plain numbers that cannot run in place keep their type and every bit")
  func plainTypes() throws {
    let source = try GGUFSource.open(GGUFFixtures.path("tiny-spm.gguf"))
    let weights = try CheckpointLoader.weights(of: source, choice: .stored, quantizesHead: false, progress: nil)
    let query = weights.layers[1].query.weight
    #expect(query.type == .f16)
    var found = [Float](repeating: 0, count: query.rows * query.cols)
    query.decode(0..<query.rows, into: &found)
    #expect(found == rows(source, "model.layers.1.self_attn.q_proj.weight", 0..<query.rows, cols: query.cols))
    withExtendedLifetime(weights) {}
  }

  @Test("the fingerprint tells files apart and does not depend on where they lie")
  func fingerprint() throws {
    let bytes = try GGUFFixtures.bytes("tiny-bpe.gguf")
    let original = try GGUFSource.open(GGUFFixtures.path("tiny-bpe.gguf")).fingerprint
    #expect(try GGUFSource(try GGUFFixtures.parse(bytes)).fingerprint == original)
    var changed = bytes
    // A mantissa bit of the last tensor's last byte.
    changed[changed.count - 1] ^= 1
    #expect(original.count == 64)
    let file = try GGUFFixtures.parse(changed)
    let last = try #require(file.tensors.max { $0.byteOffset < $1.byteOffset })
    if last.byteOffset + last.byteCount == changed.count {
      #expect(try GGUFSource(file).fingerprint != original)
    }
  }

  @Test("scales that are not finite are refused with their tensor and block")
  func refusesScales() throws {
    var bytes = try GGUFFixtures.bytes("tiny-bpe.gguf")
    let tensor = try #require(try GGUFFixtures.parse(bytes).tensors.first { $0.name == "blk.0.ffn_up.weight" })
    let place = tensor.byteOffset + 3 * tensor.type.blockByteCount
    (bytes[place], bytes[place + 1]) = (0, 0x7E)
    let error = try #require(throws: LacunaError.self) { _ = try GGUFSource(try GGUFFixtures.parse(bytes)) }
    #expect(error.message == "memory.gguf: blk.0.ffn_up.weight: block 3: expected a finite scale, found nan")
  }

  @Test("a norm with NaN in it is refused")
  func refusesNorms() throws {
    var bytes = try GGUFFixtures.bytes("tiny-spm.gguf")
    let tensor = try #require(try GGUFFixtures.parse(bytes).tensors.first { $0.name == "output_norm.weight" })
    for byte in 0..<4 { bytes[tensor.byteOffset + 8 + byte] = 0xFF }
    let error = try #require(throws: LacunaError.self) { _ = try GGUFSource(try GGUFFixtures.parse(bytes)) }
    #expect(error.message.contains("output_norm.weight[2]"))
  }

  @Test("other architectures, unknown and missing tensors and missing keys are refused by name")
  func refusesOthers() throws {
    func key(_ name: String, _ value: UInt32) -> [UInt8] {
      Array(name.utf8) + GGUFBuilder.le(UInt32(4)) + GGUFBuilder.le(value)
    }
    // Old and new have the same length, so that everything else stays where it is.
    let cases: [(old: [UInt8], new: [UInt8], message: String)] = [
      (GGUFBuilder.string("llama"), GGUFBuilder.string("gemma"), "general.architecture: expected llama, found gemma"),
      (Array("blk.1.ffn_up.".utf8), Array("blk.1.ffn_xx.".utf8), "blk.1.ffn_xx.weight"),
      (Array("blk.1.ffn_up.".utf8), Array("blk.7.ffn_up.".utf8), "model.layers.1.mlp.up_proj.weight"),
      (Array("llama.block_count".utf8), Array("llama.block_XXXXX".utf8), "llama.block_count"),
      (
        key("llama.context_length", 128), key("llama.context_length", 1 << 30),
        "llama.context_length: expected an integer of 1 to 16777216, found 1073741824"
      ),
    ]
    let bytes = try GGUFFixtures.bytes("tiny-spm.gguf")
    for (old, new, message) in cases {
      let place = try #require(bytes.firstRange(of: old))
      var changed = bytes
      changed.replaceSubrange(place, with: new)
      let error = try #require(throws: LacunaError.self) { _ = try GGUFSource(try GGUFFixtures.parse(changed)) }
      #expect(error.message.contains(message), "\(error.message)")
    }
  }

  @Test("llama.cpp's permutation of a head of 8 is undone")
  func permutation() {
    #expect((8..<16).map { GGUFSource.storedRow($0, headDim: 8) } == [8, 10, 12, 14, 9, 11, 13, 15])
  }
}
