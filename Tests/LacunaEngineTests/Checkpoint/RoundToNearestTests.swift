import Foundation
import LacunaEngine
import LacunaTestSupport
import Testing

@Suite("Weights rounded to formats")
struct RoundToNearestTests {
  /// Made by scripts/fixtures/make_rounding.py.
  private struct Reference: Decodable {
    let rows, cols: Int
    let weights: [UInt32]
    let e5m2, int8, int4: [UInt16]
    let tensorScale: UInt32
    let tensorCodes: [UInt8]

    func rounded(_ format: RoundToNearest) -> [UInt16] {
      switch format {
      case .e5m2: e5m2
      case .int8: int8
      case .int4: int4
      }
    }

    static func load() throws -> Reference {
      let url = URL(fileURLWithPath: Fixture.path("rounding/rounding.json"))
      return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
    }
  }

  private let keeper = Keeper()

  @Test("rows become what NumPy makes of them", arguments: RoundToNearest.allCases)
  func rows(format: RoundToNearest) throws {
    let reference = try Reference.load()
    let expected = reference.rounded(format)
    for row in 0..<reference.rows {
      let range = row * reference.cols..<(row + 1) * reference.cols
      var values = reference.weights[range].map { Float(bitPattern: $0) }
      #expect(format.round(&values, count: values.count))
      let differences = zip(values, expected[range]).enumerated().filter { BFloat16($1.0).bits != $1.1 }
      #expect(differences.isEmpty, "\(format) row \(row): \(differences.prefix(3).map { "\($0)" })")
    }
  }

  @Test("what is not finite is refused", arguments: RoundToNearest.allCases)
  func notFinite(format: RoundToNearest) {
    for bad in [Float.nan, .infinity, -.infinity] {
      var row: [Float] = [1, bad, 2]
      #expect(!format.round(&row, count: row.count))
    }
  }

  private func source(_ rows: [[Float]]) throws -> HuggingFaceSource {
    var checkpoint = TinyCheckpoint()
    checkpoint.replace(.f32("model.layers.0.mlp.up_proj.weight", [rows.count, rows[0].count], rows.flatMap { $0 }))
    let directory = try TemporaryDirectory()
    try checkpoint.write(to: directory)
    return keeper.keep(try HuggingFaceSource(path: directory.path))
  }

  private func load(_ source: HuggingFaceSource, _ choice: WeightChoice) throws -> ModelWeights {
    keeper.keep(try CheckpointLoader.weights(of: source, choice: choice, quantizesHead: false, progress: nil))
  }

  private func values(_ matrix: WeightMatrix) -> [Float] {
    var out = [Float](repeating: 0, count: matrix.rows * matrix.cols)
    matrix.decode(0..<matrix.rows, into: &out)
    return out
  }

  /// [6, 8], of very different rows.
  private let rows: [[Float]] = (0..<6).map { row -> [Float] in
    (0..<8).map { col -> Float in
      let number: Int = row * 8 + col - 20
      return Float(number) / Float(7 + row)
    }
  }

  @Test("a model's linear layers are rounded row by row and run in bf16, its embedding, head and norms are not")
  func loaded() throws {
    let source = try source(rows)
    for format in RoundToNearest.allCases {
      let weights = try load(source, try #require(WeightChoice(rawValue: format.rawValue)))
      let up = weights.layers[0].up.weight
      var expected: [Float] = []
      for row in rows {
        var values = row
        #expect(format.round(&values, count: values.count))
        expected += values.map { BFloat16($0).float }
      }
      #expect(up.type == .bf16 && values(up) == expected)
      #expect(values(up) != rows.flatMap { $0 }.map { BFloat16($0).float })
      #expect(weights.embedding.data == source.matrix("model.embed_tokens.weight")?.data)
      #expect(weights.head.weight.data == source.matrix("lm_head.weight")?.data)
    }
  }

  @Test("fp8-tensor has one scale for a matrix, absmax / 448, and the codes that NumPy finds")
  func oneScale() throws {
    let weights = try load(try source(rows), .fp8Tensor)
    let up = weights.layers[0].up.weight
    let scale = rows.flatMap { $0 }.map { abs($0) }.max()! / 448
    #expect(up.type == .e4m3 && up.blockRows == up.rows && up.blockCols == up.cols)
    #expect(up.scales?[0] == scale && up.scaleByteCount == 4)
    #expect(values(up) == rows.flatMap { $0 }.map { Float8E4M3($0 / scale).float * scale })
    #expect(weights.embedding.type == .bf16 && weights.head.weight.type == .bf16)

    let reference = try Reference.load()
    let referenceScale = Float(bitPattern: reference.tensorScale)
    let values = reference.weights.map { Float(bitPattern: $0) }
    #expect(Quantizer.scale(of: values.map { abs($0) }.max()!) == referenceScale)
    #expect(values.map { Float8E4M3($0 / referenceScale).bits } == reference.tensorCodes)
  }

  @Test("a weight that is not finite cannot be rounded, and the error names it")
  func refused() throws {
    var rows = rows
    rows[3][2] = .nan
    let source = try source(rows)
    for choice in [WeightChoice.fp8Tensor, .e5m2, .int8, .int4] {
      let error = try #require(throws: LacunaError.self) { _ = try load(source, choice) }
      #expect(error.message.contains("mlp.up_proj.weight") && error.message.contains("row 3"))
    }
  }
}
