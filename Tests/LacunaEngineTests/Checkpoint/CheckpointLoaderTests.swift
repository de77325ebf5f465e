import LacunaEngine
import LacunaTestSupport
import Synchronization
import Testing

@Suite("Weights from checkpoints")
struct CheckpointLoaderTests {
  private let keeper = Keeper()

  private func source(_ checkpoint: TinyCheckpoint) throws -> HuggingFaceSource {
    let directory = try TemporaryDirectory()
    try checkpoint.write(to: directory)
    return keeper.keep(try HuggingFaceSource(path: directory.path))
  }

  private func load(
    _ source: any CheckpointSource, _ choice: WeightChoice, head: Bool = false
  ) throws -> ModelWeights {
    keeper.keep(
      try CheckpointLoader.weights(of: source, choice: choice, quantizesHead: head, progress: nil))
  }

  private func values(_ matrix: WeightMatrix) -> [Float] {
    var out = [Float](repeating: 0, count: matrix.rows * matrix.cols)
    matrix.decode(0..<matrix.rows, into: &out)
    return out
  }

  private func codes(_ matrix: WeightMatrix) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: matrix.data, count: matrix.byteCount))
  }

  @Test("stored leaves F32, F16, BF16 and E4M3 in place")
  func stored() throws {
    var checkpoint = TinyCheckpoint()
    checkpoint.replace(.f32("model.layers.0.mlp.up_proj.weight", [6, 8], (0..<48).map { Float($0) / 7 }))
    checkpoint.replace(.f16("model.layers.0.mlp.gate_proj.weight", [6, 8], (0..<48).map { Float16($0) / 7 }))
    let source = try source(checkpoint)
    let weights = try load(source, .stored)
    #expect(weights.layers[0].up.weight.type == .f32 && weights.layers[0].gate.weight.type == .f16)
    #expect(values(weights.layers[0].gate.weight) == (0..<48).map { Float(Float16($0) / 7) })
    #expect(weights.layers[0].query.weight.data == source.matrix("model.layers.0.self_attn.q_proj.weight")?.data)
  }

  @Test("bf16 keeps what is bf16 in place and rounds the rest")
  func bf16() throws {
    var checkpoint = TinyCheckpoint()
    checkpoint.replace(.f32("model.layers.0.mlp.up_proj.weight", [6, 8], (0..<48).map { 1 / (Float($0) + 0.7) }))
    let source = try source(checkpoint)
    let weights = try load(source, .bf16)
    #expect(weights.layers[0].up.weight.type == .bf16)
    #expect(values(weights.layers[0].up.weight) == (0..<48).map { BFloat16(1 / (Float($0) + 0.7)).float })
    #expect(weights.embedding.data == source.matrix("model.embed_tokens.weight")?.data)
  }

  @Test("fp8 quantizes projections by absmax / 448 a row and leaves embedding and head alone")
  func fp8() throws {
    let source = try source(TinyCheckpoint())
    let weights = try load(source, .fp8)
    #expect(weights.embedding.type == .bf16 && weights.head.weight.type == .bf16)
    for (matrix, name) in [
      (weights.layers[0].down.weight, "mlp.down_proj"), (weights.layers[0].key.weight, "self_attn.k_proj"),
    ] {
      let original = values(try #require(source.matrix("model.layers.0.\(name).weight")))
      #expect(matrix.type == .e4m3 && matrix.blockRows == 1 && matrix.blockCols == matrix.cols)
      let scales = try #require(matrix.scales)
      for row in 0..<matrix.rows {
        let slice = original[row * matrix.cols..<(row + 1) * matrix.cols]
        let scale = slice.map { abs($0) }.max()! / 448
        #expect(scales[row] == scale)
        for (value, code) in zip(slice, codes(matrix)[row * matrix.cols..<(row + 1) * matrix.cols]) {
          // Nearest: no other code is nearer to the quotient.
          let found = abs(Float8E4M3(bits: code).float - value / scale)
          #expect((0...255).allSatisfy { !(abs(Float8E4M3.values[$0] - value / scale) < found) })
        }
      }
    }
  }

  @Test("fp8 takes the head along when asked, without touching a tied embedding")
  func head() throws {
    let untied = try load(try source(TinyCheckpoint()), .fp8, head: true)
    #expect(untied.head.weight.type == .e4m3 && untied.embedding.type == .bf16)
    var checkpoint = TinyCheckpoint()
    checkpoint.config["tie_word_embeddings"] = "true"
    checkpoint.tensors.removeAll { $0.name == "lm_head.weight" }
    let tied = try source(checkpoint)
    let shared = try load(tied, .fp8)
    #expect(shared.head.weight.data == shared.embedding.data && shared.head.weight.type == .bf16)
    let split = try load(tied, .fp8, head: true)
    #expect(split.head.weight.type == .e4m3 && split.embedding.type == .bf16)
  }

  @Test("E4M3 stays in place as fp8, and is the product of code and scale rounded once as bf16")
  func quantizedSource() throws {
    let source = keeper.keep(try HuggingFaceSource(path: Fixture.path("golden/gqa-tied-fp8-channel")))
    let name = "model.layers.1.self_attn.k_proj.weight"
    let stored = try #require(source.matrix(name))
    #expect(try load(source, .fp8).layers[1].key.weight.data == stored.data)
    #expect(try load(source, .stored).layers[1].key.weight.data == stored.data)
    let bf16 = try load(source, .bf16).layers[1].key.weight
    #expect(bf16.type == .bf16 && values(bf16) == values(stored).map { BFloat16($0).float })
  }

  @Test("rows of zeros, tiny rows and rows that are not finite")
  func quantizer() {
    func quantize(_ row: [Float]) -> (scale: Float?, codes: [UInt8]) {
      var codes = [UInt8](repeating: 0xEE, count: row.count)
      let scale = Quantizer.quantize(row, count: row.count, into: &codes)
      return (scale, codes)
    }
    #expect(quantize([0, -0.0, 0]) == (1, [0, 0x80, 0]))
    #expect(quantize([.leastNonzeroMagnitude, 0, 0]) == (1, [0, 0, 0]))
    #expect(quantize([448, -448, 224, 1]) == (1, [0x7E, 0xFE, 0x76, 0x38]))
    #expect(quantize([.greatestFiniteMagnitude, 0]).codes == [0x7E, 0])
    #expect(quantize([1, .nan]).scale == nil)
    #expect(quantize([1, -.infinity]).scale == nil)
  }

  @Test("a weight that is not finite cannot be quantized, and the error names it")
  func notFinite() throws {
    var checkpoint = TinyCheckpoint()
    checkpoint.replace(.f32("model.layers.0.mlp.up_proj.weight", [6, 8], (0..<48).map { $0 == 20 ? .nan : 1 }))
    let source = try source(checkpoint)
    let error = try #require(throws: LacunaError.self) { _ = try load(source, .fp8) }
    #expect(error.message.contains("mlp.up_proj.weight") && error.message.contains("row 2"))
  }

  @Test("progress rises to one")
  func progress() throws {
    let seen = Mutex<[Double]>([])
    _ = try CheckpointLoader.weights(of: try source(TinyCheckpoint()), choice: .fp8, quantizesHead: true) { done in
      seen.withLock { $0.append(done) }
    }
    let all = seen.withLock { $0 }
    #expect(all == all.sorted() && all.count == 9)
    #expect(try #require(all.last) > 0.9 && all.allSatisfy { $0 <= 1 })
  }

  @Test("what is neither a directory nor GGUF is refused with a hint")
  func otherFiles() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write(safetensors([]), to: "model.safetensors")
    let error = try #require(throws: LacunaError.self) { _ = try CheckpointLoader.open(path) }
    #expect(error.code == .unsupported && error.message.contains("name its directory"))
    #expect(throws: LacunaError.self) { _ = try CheckpointLoader.open("\(directory.path)/none") }
  }

  @Test(
    "synthetic weights repeat, hold no NaN, and have the deviation they promise", arguments: [WeightType.e4m3, .bf16])
  func synthetic(type: WeightType) throws {
    func random(_ seed: UInt64) throws -> ModelWeights {
      keeper.keep(try ModelWeights.random(config: .tiny, type: type, seed: seed))
    }
    let (first, second, other) = (try random(3), try random(3), try random(4))
    let matrix = first.layers[1].down.weight
    #expect(matrix.type == type && first.embedding.type == .bf16)
    #expect(codes(matrix) == codes(second.layers[1].down.weight))
    #expect(codes(matrix) != codes(other.layers[1].down.weight))
    #expect(codes(matrix) != codes(first.layers[0].down.weight))
    let all = values(matrix).map { Double($0) }
    let deviation = (all.reduce(0) { $0 + $1 * $1 } / Double(all.count)).squareRoot()
    #expect(abs(deviation - 0.02) < 0.002 && abs(all.reduce(0, +) / Double(all.count)) < 0.001)
  }
}
