#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A distribution over the vocabulary, with sums over it in double precision.
struct LogDistribution {
  private let logits: [Float]
  /// e^(logit - highest), up to the next multiple of 16.
  private let weights: [Float]
  private let total: Double
  /// ln of the sum of e^logit.
  private let normalizer: Double

  /// - Parameter logits: not empty, the highest finite.
  init(_ logits: UnsafeBufferPointer<Float>) {
    let highest = logits.max() ?? 0
    var total = 0.0
    weights = [Float](unsafeUninitializedCapacity: (logits.count + 15) / 16 * 16) { buffer, initialized in
      guard let out = buffer.baseAddress, let base = logits.baseAddress else { return }
      total = LogitKernels.weights(out, base, logits.count, highest: highest)
      initialized = buffer.count
    }
    self.logits = Array(logits)
    self.total = total
    normalizer = Double(highest) + log(total)
  }

  /// Mean and variance of ln p, each token weighted by its p (Zhang et al. 2024, "Min-K%++", section 4).
  var moments: (mean: Double, variance: Double) {
    let mean = expectation { Double(logits[$0]) - normalizer }
    return (mean, expectation { (Double(logits[$0]) - normalizer - mean) * (Double(logits[$0]) - normalizer - mean) })
  }

  /// KL(self || other) in nats; not below 0, where rounding would take it.
  func divergence(of other: LogDistribution) -> Double {
    let offset = other.normalizer - normalizer
    return max(0, expectation { Double(logits[$0]) - Double(other.logits[$0]) + offset })
  }

  /// The sum of p * value; p = 0 counts nothing.
  @inline(__always)
  private func expectation(_ value: (Int) -> Double) -> Double {
    var sum = 0.0
    for index in logits.indices where weights[index] > 0 { sum += Double(weights[index]) * value(index) }
    return sum / total
  }
}
