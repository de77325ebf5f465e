import Dispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Weights that nobody trained, for measuring speed and for tests that need no file.

extension ModelWeights {
  /// Random weights of a configuration's shapes: normal with a standard deviation of 0.02, norms of 1.
  ///
  /// The same for the same arguments, whatever the number of cores. There are 256 distinct magnitudes, none of them
  /// NaN; E4M3 matrices have a scale for each row.
  /// - Parameter type: of the projections, `.e4m3` or `.bf16`; embedding and head are bf16.
  /// - Throws: `resource` if the memory is not there.
  package static func random(config: ModelConfig, type: WeightType, seed: UInt64) throws(LacunaError) -> ModelWeights {
    precondition(type == .e4m3 || type == .bf16, "synthetic weights are E4M3 or bf16, not \(type)")
    var generator = SyntheticGenerator(seed: seed)
    let embedding = try generator.matrix(config.vocabSize, config.hiddenSize, .bf16)
    let ones = [Float](repeating: 1, count: config.hiddenSize)
    let (hidden, inner) = (config.hiddenSize, config.intermediateSize)
    let (queries, keys) = (config.numAttentionHeads * config.headDim, config.numKeyValueHeads * config.headDim)
    var layers: [LayerWeights] = []
    for _ in 0..<config.numHiddenLayers {
      func linear(_ rows: Int, _ cols: Int, hasBias: Bool) throws(LacunaError) -> LinearWeights {
        let bias = hasBias ? [Float](repeating: 0.01, count: rows) : nil
        return LinearWeights(weight: try generator.matrix(rows, cols, type), bias: bias)
      }
      layers.append(
        LayerWeights(
          inputNorm: ones,
          query: try linear(queries, hidden, hasBias: config.attentionBias),
          key: try linear(keys, hidden, hasBias: config.attentionBias),
          value: try linear(keys, hidden, hasBias: config.attentionBias),
          output: try linear(hidden, queries, hasBias: config.attentionBias),
          postAttentionNorm: ones,
          gate: try linear(inner, hidden, hasBias: config.mlpBias),
          up: try linear(inner, hidden, hasBias: config.mlpBias),
          down: try linear(hidden, inner, hasBias: config.mlpBias)))
    }
    let head = config.tieWordEmbeddings ? embedding : try generator.matrix(config.vocabSize, hidden, .bf16)
    return ModelWeights(
      embedding: embedding, layers: layers, norm: ones, head: LinearWeights(weight: head), owners: generator.owners)
  }
}

private struct SyntheticGenerator {
  private(set) var owners: [any Sendable] = []
  private let seed: UInt64
  private var matrixCount: UInt64 = 0

  private static let deviation: Float = 0.02
  /// What a code is multiplied with: codes have a standard deviation of 100, the largest is about 290.
  private static let codeScale = deviation / 100
  private static let chunkByteCount = 1 << 20

  init(seed: UInt64) { self.seed = seed }

  mutating func matrix(_ rows: Int, _ cols: Int, _ type: WeightType) throws(LacunaError) -> WeightMatrix {
    let byteCount = rows * cols * type.byteCount
    let scaleOffset = (byteCount + 63) / 64 * 64
    let buffer = SharedBuffer(try AlignedBuffer(byteCount: scaleOffset + (type == .e4m3 ? rows * 4 : 0)))
    owners.append(buffer)
    matrixCount += 1
    let start = SeededRandom.hash(seed, matrixCount)
    let chunkCount = (rows * cols + Self.chunkByteCount - 1) / Self.chunkByteCount
    DispatchQueue.concurrentPerform(iterations: chunkCount) { index in
      let range = index * Self.chunkByteCount..<min((index + 1) * Self.chunkByteCount, rows * cols)
      let state = SeededRandom.hash(start, UInt64(index))
      switch type {
      case .e4m3: Self.fill(buffer.storage.base, range, Self.codes, state)
      default: Self.fill(buffer.storage.base, range, Self.bf16, state)
      }
    }
    guard type == .e4m3 else { return WeightMatrix(data: buffer.storage.base, rows: rows, cols: cols, type: type) }
    let scales = buffer.storage.floats(at: scaleOffset)
    // Rows differ a little, so that a kernel that mixes scales up is found out.
    for row in 0..<rows { scales[row] = Self.codeScale * (0.9 + 0.2 * Float(row % 17) / 16) }
    return WeightMatrix(
      data: buffer.storage.base, scales: UnsafePointer(scales), rows: rows, cols: cols, blockRows: 1, blockCols: cols,
      type: type)
  }

  /// A random byte an element chooses one of `values`. The bytes are SplitMix64's (Steele, Lea and Flood 2014).
  private static func fill<Element: FixedWidthInteger>(
    _ base: UnsafeMutableRawPointer, _ range: Range<Int>, _ values: [Element], _ seed: UInt64
  ) {
    let out = base.assumingMemoryBound(to: Element.self)
    values.withUnsafeBufferPointer { values in
      var state = seed
      for first in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        for i in first..<min(first + 8, range.upperBound) {
          out[i] = values[Int(truncatingIfNeeded: bits & 0xFF)]
          bits >>= 8
        }
      }
    }
  }

  private static let codes: [UInt8] = quantiles.map { Float8E4M3($0 * 100).bits }
  private static let bf16: [UInt16] = quantiles.map { BFloat16($0 * deviation).bits }

  /// The standard normal distribution's quantiles at (i + 1/2) / 256, by bisection of its distribution function.
  private static let quantiles: [Float] = (0..<256).map { index in
    let wanted = (Double(index) + 0.5) / 256
    var (low, high) = (-4.0, 4.0)
    for _ in 0..<50 {
      let middle = (low + high) / 2
      if cumulative(middle) < wanted { low = middle } else { high = middle }
    }
    return Float((low + high) / 2)
  }

  /// P(X < x) by the series of Marsaglia 2004, "Evaluating the normal distribution".
  private static func cumulative(_ x: Double) -> Double {
    var (sum, term, n) = (x, x, 3.0)
    while abs(term) > 1e-12 {
      term *= x * x / n
      sum += term
      n += 2
    }
    return 0.5 + sum * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
  }
}

extension ModelConfig {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  package static let llama2_7B = ModelConfig(
    vocabSize: 32_000, hiddenSize: 4096, intermediateSize: 11_008, numHiddenLayers: 32, numAttentionHeads: 32,
    numKeyValueHeads: 32, headDim: 128, maxPositionEmbeddings: 4096)

  /// Every kind of part, and a forward pass of microseconds: grouped heads, sizes that are no powers of two.
  package static let tiny = ModelConfig(
    vocabSize: 640, hiddenSize: 96, intermediateSize: 160, numHiddenLayers: 2, numAttentionHeads: 6,
    numKeyValueHeads: 2, headDim: 16, maxPositionEmbeddings: 512)
}
