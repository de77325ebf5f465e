import LacunaEngine

/// One draw of a native chain over 32,000 logits, the copy of the logits included.
final class SamplerCost: Measurement {
  private static let vocabularySize = 32_000
  private static let repetitions = 200
  private static let tokenCount = 256

  private var chain: SamplerChain
  private let logits: [Float]
  private var tokens: [TokenID]

  init() throws(LacunaError) {
    chain = try SamplerChain(
      SamplerChain.parse("penalties:repetition=1.1 top_k:40 top_p:0.95 min_p:0.05 temperature:0.8 dist"),
      vocabularySize: Self.vocabularySize)
    var random = SeededRandom(seed: 3)
    logits = (0..<Self.vocabularySize).map { _ in Float(random.normal() * 3) }
    tokens = (0..<Self.tokenCount).map { _ in TokenID(random.integer(in: 0...Int64(Self.vocabularySize - 1))) }
  }

  var name: String { "sampler" }
  var title: String { "penalties, top-k, top-p, min-p, temperature, dist over 32,000" }
  var unit: MeasuredUnit { .seconds }
  var bound: Bound { .budget(150e-6) }

  func sample() throws -> Double {
    let work = try AlignedBuffer(byteCount: Self.vocabularySize * MemoryLayout<Float>.stride)
    let values = UnsafeMutableBufferPointer(start: work.floats(), count: Self.vocabularySize)
    // The draw's position is what makes one draw differ from the next.
    let taken = try seconds {
      for index in 0..<Self.repetitions {
        _ = values.update(from: logits)
        try tokens.withUnsafeBufferPointer { tokens in
          let context = SamplingContext(
            tokens: tokens, promptCount: Self.tokenCount, seed: UInt64(index), stream: 0)
          let token = try chain.sample(values, context)
          try chain.accept(token)
        }
      }
    }
    return taken / Double(Self.repetitions)
  }
}
