import LacunaEngine
import Testing

/// Ends a chain by keeping the logits that reach it; chooses the first survivor.
final class LogitRecorder: SamplerChain.ExternalStage {
  var logits: [Float] = []
  var isSelector: Bool { true }
  func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) {}
  func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) -> TokenID {
    self.logits = Array(logits)
    return TokenID(logits.firstIndex { $0 > -.infinity } ?? 0)
  }
  func accept(_ token: TokenID) {}
  func fork() -> any SamplerChain.ExternalStage { LogitRecorder() }
  func rewind(toAccepted count: Int) {}
}

/// The logits that filters, as on the command line, leave of `logits`.
func filtered(
  _ filters: String, _ logits: [Float], tokens: [TokenID] = [], promptCount: Int = 0, seed: UInt64 = 1,
  tokenizer: (any Tokenizer)? = nil
) throws -> [Float] {
  let recorder = LogitRecorder()
  let stages = try SamplerChain.parse(filters).map { SamplerChain.Stage.native($0) }
  var chain = try SamplerChain(
    stages + [.external(name: "recorder", recorder)], vocabularySize: logits.count, tokenizer: tokenizer)
  _ = try chain.draw(logits, tokens: tokens, promptCount: promptCount, seed: seed)
  return recorder.logits
}

extension SamplerChain {
  static func native(_ text: String, vocabularySize: Int) throws -> SamplerChain {
    try SamplerChain(SamplerChain.parse(text), vocabularySize: vocabularySize)
  }

  mutating func draw(
    _ logits: [Float], tokens: [TokenID] = [], promptCount: Int = 0, seed: UInt64 = 1, stream: UInt64 = 0
  ) throws -> TokenID {
    var logits = logits
    return try logits.withUnsafeMutableBufferPointer { buffer in
      try tokens.withUnsafeBufferPointer {
        try sample(buffer, SamplingContext(tokens: $0, promptCount: promptCount, seed: seed, stream: stream))
      }
    }
  }

  func explained(_ logits: [Float], tokens: [TokenID] = [], seed: UInt64 = 1, top: Int = 5) throws -> [StageReport] {
    try logits.withUnsafeBufferPointer { buffer in
      try tokens.withUnsafeBufferPointer {
        try explain(buffer, SamplingContext(tokens: $0, promptCount: 0, seed: seed, stream: 0), top: top)
      }
    }
  }
}

/// A seeded distribution to try a filter on.
struct SampleLogits: CustomTestStringConvertible, Sendable {
  enum Shape: CaseIterable, Sendable {
    case flat, usual, peaked, tied, masked, equal, zipf
  }
  let shape: Shape
  let count: Int
  let seed: UInt64
  let values: [Float]

  init(_ shape: Shape, _ count: Int, seed: UInt64) {
    var random = SeededRandom(seed: seed, stream: UInt64(count))
    (self.shape, self.count, self.seed) = (shape, count, seed)
    var values: [Float] = (0..<count).map { index in
      switch shape {
      case .flat: Float(random.normal() * 0.3)
      case .usual: Float(random.normal() * 3 - 2)
      case .peaked: Float(random.normal() * 12)
      case .tied: Float((random.normal() * 3).rounded() / 2)
      case .masked: random.uniform() < 0.7 ? -.infinity : Float(random.normal() * 3)
      case .equal: 1.5
      case .zipf: Float(-1.1 * Double(index + 1).logarithm)
      }
    }
    if shape == .masked { values[Int(random.integer(in: 0...Int64(count - 1)))] = 2 }
    self.values = values
  }

  var testDescription: String { "\(shape) \(count) seed \(seed)" }

  static let all = Shape.allCases.flatMap { shape in
    [1, 2, 15, 16, 17, 33, 100, 300, 1501].map { SampleLogits(shape, $0, seed: 20 + UInt64($0)) }
  }
  static let few = Shape.allCases.map { SampleLogits($0, 400, seed: 5) }
}

extension Array where Element == Float {
  /// Ids that are not masked.
  var survivors: Set<Int> { Set(indices.filter { self[$0] > -.infinity }) }
}
