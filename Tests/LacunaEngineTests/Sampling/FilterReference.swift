import Foundation
import LacunaEngine

extension Double {
  var logarithm: Double { log(self) }
}

/// Filters written down plainly from their definitions, in double precision, by sorting everything.
struct FilterReference {
  /// What is kept, and whether the cut is so clear that rounding in single precision cannot move it.
  struct Result {
    var kept: Set<Int>
    var isClear = true
  }

  let logits: [Double]
  /// Of unmasked tokens, falling logit, rising id among equals.
  let order: [Int]
  let probabilities: [Double]

  init(_ values: [Float]) {
    let logits = values.map(Double.init)
    self.logits = logits
    order = logits.indices.filter { logits[$0] > -.infinity }.sorted {
      logits[$0] == logits[$1] ? $0 < $1 : logits[$0] > logits[$1]
    }
    let highest = logits[order[0]]
    let total = order.reversed().reduce(0) { $0 + exp(logits[$1] - highest) }
    probabilities = logits.map { exp($0 - highest) / total }
  }

  /// In nats.
  var entropy: Double {
    order.reduce(0) { probabilities[$1] > 0 ? $0 - probabilities[$1] * log(probabilities[$1]) : $0 }
  }

  func topK(_ k: Int) -> Result { Result(kept: Set(order.prefix(k))) }

  func topP(_ p: Double, minKeep: Int = 1) -> Result { mass(p, in: order, minKeep: minKeep) }

  func typical(_ p: Double) -> Result {
    let deviation = probabilities.map { abs(-log($0) - entropy) }
    let ranking = order.sorted { deviation[$0] == deviation[$1] ? $0 < $1 : deviation[$0] < deviation[$1] }
    var result = mass(p, in: ranking, minKeep: 1)
    // Two tokens on either side of the entropy may be as near as makes no difference.
    let last = result.kept.map { deviation[$0] }.max() ?? 0
    let next = ranking.filter { !result.kept.contains($0) }.map { deviation[$0] }.min() ?? .infinity
    if abs(next - last) < 1e-4 { result.isClear = false }
    return result
  }

  private func mass(_ p: Double, in ranking: [Int], minKeep: Int) -> Result {
    var running = 0.0
    var count = 0
    var isClear = true
    for token in ranking {
      running += probabilities[token]
      count += 1
      if abs(running - p) < 2e-6 { isClear = false }
      if running >= p { break }
    }
    return Result(kept: Set(ranking.prefix(max(count, minKeep))), isClear: isClear)
  }

  /// What has a score at or above a threshold.
  private func threshold(_ bound: Double, _ scores: [Double], tolerance: Double, minKeep: Int) -> Result {
    var kept = Set(order.filter { scores[$0] >= bound })
    if kept.count < minKeep { kept = Set(order.prefix(minKeep)) }
    return Result(kept: kept, isClear: !order.contains { abs(scores[$0] - bound) < tolerance })
  }

  func minP(_ p: Double, minKeep: Int = 1) -> Result {
    let bound = p * probabilities[order[0]]
    return threshold(bound, probabilities, tolerance: bound * 1e-5, minKeep: minKeep)
  }

  func epsilon(_ epsilon: Double) -> Result {
    threshold(epsilon, probabilities, tolerance: epsilon * 1e-5, minKeep: 1)
  }

  func eta(_ epsilon: Double) -> Result {
    let eta = min(epsilon, epsilon.squareRoot() * exp(-entropy))
    return threshold(eta, probabilities, tolerance: eta * 1e-5, minKeep: 1)
  }

  func topNSigma(_ n: Double) -> Result {
    let mean = order.reduce(0) { $0 + logits[$1] } / Double(order.count)
    let variance = order.reduce(0) { $0 + (logits[$1] - mean) * (logits[$1] - mean) } / Double(order.count)
    return threshold(
      logits[order[0]] - n * variance.squareRoot(), logits, tolerance: 1e-4, minKeep: 1)
  }

  func excludeTopChoices(_ limit: Double) -> Result {
    let choices = order.filter { probabilities[$0] >= limit }
    return Result(
      kept: Set(order).subtracting(choices.dropLast()),
      isClear: !order.contains { abs(probabilities[$0] - limit) < 1e-6 })
  }

  func topA(_ a: Double) -> Result {
    let bound = a * probabilities[order[0]] * probabilities[order[0]]
    return threshold(bound, probabilities, tolerance: bound * 1e-5, minKeep: 1)
  }

  func tailFree(_ z: Double) -> Result {
    let ranked = order.map { probabilities[$0] }
    let slopes = zip(ranked, ranked.dropFirst()).map { $1 - $0 }
    let bends = zip(slopes, slopes.dropFirst()).map { abs($1 - $0) }
    let total = bends.reduce(0, +)
    // Of equal probabilities rounding alone makes a curve.
    guard total > 1e-9 else { return Result(kept: Set(order), isClear: total == 0) }
    var (kept, running, isClear) = (1, 0.0, true)
    for bend in bends {
      running += bend / total
      if abs(running - z) < 1e-4 { isClear = false }
      if running > z { break }
      kept += 1
    }
    return Result(kept: Set(order.prefix(kept)), isClear: isClear)
  }

  /// Logits and not a cut.
  func smoothing(factor: Double, curve: Double) -> [Double] {
    let highest = logits[order[0]]
    return logits.map { logit in
      guard logit > -.infinity else { return logit }
      let d = logit - highest
      return factor * (-(3 - curve) / 2 * d * d + (curve - 1) / 2 * d * d * d) + highest
    }
  }

  func noRepeatNgram(_ n: Int, _ tokens: [Int]) -> Set<Int> {
    let banned = order.filter { token in
      let candidate = Array((tokens + [token]).suffix(n))
      return candidate.count == n
        && (0..<max(tokens.count - n + 1, 0)).contains { Array(tokens[$0..<$0 + n]) == candidate }
    }
    return banned.count == order.count ? Set(order) : Set(order).subtracting(banned)
  }
}
