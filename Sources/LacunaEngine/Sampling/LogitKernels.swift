#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The loops over a vocabulary: plain IEEE arithmetic in one fixed order, so that a draw is the same on every machine.
///
/// Every function takes `count` >= 0 values; -inf stands for a masked token.
package enum LogitKernels {
  typealias Lanes = SIMD16<Float>
  static let laneCount = 16
  /// Values that are summed in single precision before they join a double: bounds a sum's relative error by 1e-6.
  static let chunk = 256

  package struct Range: Equatable {
    /// -inf where nothing survives.
    package var highest = -Float.infinity
    /// Values above -inf.
    package var survivors = 0
    /// Whether there is a NaN or +inf; the other members mean nothing then.
    package var isBad = false
  }

  @inline(__always)
  private static func load(_ x: UnsafePointer<Float>, _ index: Int) -> Lanes {
    UnsafeRawPointer(x + index).loadUnaligned(as: Lanes.self)
  }

  package static func range(_ x: UnsafePointer<Float>, _ count: Int) -> Range {
    let (highest, open) = Kernels.range(x, count)
    return Range(highest: highest, survivors: open, isBad: highest.isNaN)
  }

  /// The lowest value that is not masked; +inf where there is none.
  package static func lowest(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var lowest = Lanes(repeating: .infinity)
    var index = 0
    while index &+ laneCount <= count {
      let value = load(x, index)
      lowest.replace(with: value, where: (value .< lowest) .& (value .> Lanes(repeating: -.infinity)))
      index &+= laneCount
    }
    var result = lowest.min()
    while index < count {
      if x[index] < result, x[index] > -.infinity { result = x[index] }
      index &+= 1
    }
    return result
  }

  /// The first index whose value is `value`; `count` where there is none.
  package static func firstIndex(of value: Float, _ x: UnsafePointer<Float>, _ count: Int) -> Int {
    let wanted = Lanes(repeating: value)
    var index = 0
    while index &+ laneCount <= count, !any(load(x, index) .== wanted) { index &+= laneCount }
    while index < count, x[index] != value { index &+= 1 }
    return index
  }

  /// out[b] = the largest of x[16 b ..< 16 b + 16]; the last block may be short.
  static func blockMaxima(_ out: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int) {
    var index = 0
    while index &+ laneCount <= count {
      let x16 = load(x, index)
      let x8 = x16.lowHalf.replacing(with: x16.highHalf, where: x16.highHalf .> x16.lowHalf)
      let x4 = x8.lowHalf.replacing(with: x8.highHalf, where: x8.highHalf .> x8.lowHalf)
      let x2 = x4.lowHalf.replacing(with: x4.highHalf, where: x4.highHalf .> x4.lowHalf)
      out[index / laneCount] = x2[0] > x2[1] ? x2[0] : x2[1]
      index &+= laneCount
    }
    guard index < count else { return }
    var highest = -Float.infinity
    for rest in index..<count where x[rest] > highest { highest = x[rest] }
    out[index / laneCount] = highest
  }

  /// Writes the indexes of values >= threshold, rising; returns how many. -inf never counts.
  package static func indexes(
    _ out: UnsafeMutablePointer<Int32>, of x: UnsafePointer<Float>, _ count: Int, atLeast threshold: Float
  ) -> Int {
    let threshold = max(threshold, -Float.greatestFiniteMagnitude)
    let bound = Lanes(repeating: threshold)
    var found = 0
    var index = 0
    while index &+ laneCount <= count {
      if any(load(x, index) .>= bound) {
        // Without a branch for each value: writes one past the last hit, which the next one overwrites.
        for lane in index..<(index &+ laneCount) {
          out[found] = Int32(truncatingIfNeeded: lane)
          found &+= x[lane] >= threshold ? 1 : 0
        }
      }
      index &+= laneCount
    }
    while index < count {
      if x[index] >= threshold {
        out[found] = Int32(truncatingIfNeeded: index)
        found &+= 1
      }
      index &+= 1
    }
    return found
  }

  /// x[i] /= divisor.
  static func divide(_ x: UnsafeMutablePointer<Float>, _ count: Int, by divisor: Float) {
    var index = 0
    while index &+ laneCount <= count {
      UnsafeMutableRawPointer(x + index).storeBytes(of: load(x, index) / Lanes(repeating: divisor), as: Lanes.self)
      index &+= laneCount
    }
    while index < count {
      x[index] /= divisor
      index &+= 1
    }
  }

  // MARK: Probabilities

  /// e^x for x <= 0 within 3e-7 of it, relatively; 0 below -87, the smallest normal number's logarithm.
  @inline(__always)
  private static func exponential(_ x: Lanes) -> Lanes {
    let isTiny = x .< Lanes(repeating: -87)
    let bounded = x.replacing(with: -87, where: isTiny)
    // x = n ln 2 + r, |r| <= ln 2 / 2. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
    let magic = Lanes(repeating: 12_582_912)
    let shifted = bounded * Lanes(repeating: 1.442_695_04) + magic
    let n = shifted - magic
    // ln 2 in two parts, the first with few enough bits that n times it is exact.
    let r = (bounded - n * Lanes(repeating: 0.693_359_375)) + n * Lanes(repeating: 2.121_944_4e-4)
    // The Taylor series to r^7: the first term left out is below 6e-9.
    var p = Lanes(repeating: 1 / 5040)
    p = p * r + Lanes(repeating: 1 / 720)
    p = p * r + Lanes(repeating: 1 / 120)
    p = p * r + Lanes(repeating: 1 / 24)
    p = p * r + Lanes(repeating: 1 / 6)
    p = p * r + Lanes(repeating: 0.5)
    p = p * r + Lanes(repeating: 1)
    p = p * r + Lanes(repeating: 1)
    // Times 2^n, by adding n to the exponent's bits.
    let bits = unsafeBitCast(p, to: SIMD16<Int32>.self) &+ (unsafeBitCast(shifted, to: SIMD16<Int32>.self) &<< 23)
    return unsafeBitCast(bits, to: Lanes.self).replacing(with: 0, where: isTiny)
  }

  /// out[i] = e^(x[i] - highest); returns their sum. `out` must have room up to the next multiple of 16.
  package static func weights(
    _ out: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ count: Int, highest: Float
  ) -> Double {
    let top = Lanes(repeating: highest)
    var index = 0
    while index &+ laneCount <= count {
      UnsafeMutableRawPointer(out + index).storeBytes(of: exponential(load(x, index) - top), as: Lanes.self)
      index &+= laneCount
    }
    if index < count {
      var rest = Lanes(repeating: -.infinity)
      for lane in 0..<(count - index) { rest[lane] = x[index + lane] }
      UnsafeMutableRawPointer(out + index).storeBytes(of: exponential(rest - top), as: Lanes.self)
    }
    return sum(out, count)
  }

  /// The sum in the order that `index(of:in:)` walks.
  package static func sum(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var total = 0.0
    var index = 0
    while index < count {
      let size = min(chunk, count - index)
      total += chunkSum(x + index, size)
      index &+= chunk
    }
    return total
  }

  @inline(__always)
  private static func chunkSum(_ x: UnsafePointer<Float>, _ count: Int) -> Double {
    var lanes = Lanes(repeating: 0)
    var index = 0
    while index &+ laneCount <= count {
      lanes += load(x, index)
      index &+= laneCount
    }
    var sum = Double(lanes.sum())
    while index < count {
      sum += Double(x[index])
      index &+= 1
    }
    return sum
  }

  /// The index at which the running sum of `weights` first exceeds `target`, which is below their sum.
  package static func index(of target: Double, in weights: UnsafePointer<Float>, _ count: Int) -> Int {
    var before = 0.0
    var start = 0
    // Where rounding leaves the target just above a sum: the last token that has any weight.
    var last = 0
    while start < count {
      let size = min(chunk, count - start)
      let after = before + chunkSum(weights + start, size)
      if after > target {
        var running = before
        for index in start..<(start + size) where weights[index] > 0 {
          running += Double(weights[index])
          last = index
          if running > target { return index }
        }
        return last
      }
      before = after
      start &+= chunk
    }
    for index in (0..<count).reversed() where weights[index] > 0 { return index }
    return last
  }

  /// The entropy, in nats, of the distribution whose `weights` are e^(x - highest) and sum to `total`.
  static func entropy(
    _ x: UnsafePointer<Float>, weights: UnsafePointer<Float>, _ count: Int, highest: Float, total: Double
  ) -> Double {
    let top = Lanes(repeating: highest)
    var moment = 0.0
    var index = 0
    while index &+ laneCount <= count {
      var lanes = Lanes(repeating: 0)
      let end = min(index &+ chunk, count)
      while index &+ laneCount <= end {
        let weight = load(weights, index)
        // 0 ln 0 is 0.
        lanes += (weight * (top - load(x, index))).replacing(with: 0, where: weight .== Lanes(repeating: 0))
        index &+= laneCount
      }
      moment += Double(lanes.sum())
    }
    while index < count {
      if weights[index] > 0 { moment += Double(weights[index]) * Double(highest - x[index]) }
      index &+= 1
    }
    return max(0, log(total) + moment / total)
  }

  /// The population standard deviation of the values that are not masked.
  package static func standardDeviation(_ x: UnsafePointer<Float>, _ count: Int, survivors: Int) -> Double {
    let mean = openSum(x, count) { $0 } / Double(survivors)
    let center = Lanes(repeating: Float(mean))
    let variance = openSum(x, count) { ($0 - center) * ($0 - center) } / Double(survivors)
    return variance.squareRoot()
  }

  /// The sum of `term` over the values that are not masked.
  @inline(__always)
  private static func openSum(_ x: UnsafePointer<Float>, _ count: Int, _ term: (Lanes) -> Lanes) -> Double {
    var total = 0.0
    var index = 0
    while index < count {
      var lanes = Lanes(repeating: 0)
      let end = min(index &+ chunk, count)
      while index < end {
        var value = Lanes(repeating: -.infinity)
        if index &+ laneCount <= end {
          value = load(x, index)
        } else {
          for lane in 0..<(end - index) { value[lane] = x[index + lane] }
        }
        lanes += term(value).replacing(with: 0, where: value .== Lanes(repeating: -.infinity))
        index &+= laneCount
      }
      total += Double(lanes.sum())
    }
    return total
  }
}
