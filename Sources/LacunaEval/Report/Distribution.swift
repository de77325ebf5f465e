#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Values of one figure over the rows of a task, sorted.
package struct Distribution: Sendable {
  package let values: [Double]

  /// NaN is left out.
  package init(_ values: [Double]) { self.values = values.filter { !$0.isNaN }.sorted() }

  /// The share of values at or below `x`: the empirical distribution function.
  package func share(upTo x: Double) -> Double {
    values.isEmpty ? 0 : Double(count(upTo: x)) / Double(values.count)
  }

  private func count(upTo x: Double) -> Int {
    var (low, high) = (0, values.count)
    while low < high {
      let middle = (low + high) / 2
      if values[middle] <= x { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Linear between the neighbours, as R's type 7 and NumPy do it. NaN if there are no values.
  package func quantile(_ q: Double) -> Double {
    guard let last = values.last else { return .nan }
    let place = q * Double(values.count - 1)
    let below = Int(place)
    guard below + 1 < values.count else { return last }
    return values[below] + (place - Double(below)) * (values[below + 1] - values[below])
  }

  /// Where the two distribution functions are farthest apart, the first such place, and both shares there: their difference
  /// is the Kolmogorov-Smirnov D. nil if either has no values.
  package func widestGap(to other: Distribution) -> (at: Double, share: Double, otherShare: Double)? {
    guard !values.isEmpty, !other.values.isEmpty else { return nil }
    var widest: (at: Double, share: Double, otherShare: Double)?
    for x in (values + other.values).sorted() {
      let (share, otherShare) = (share(upTo: x), other.share(upTo: x))
      if abs(share - otherShare) > widest.map({ abs($0.share - $0.otherShare) }) ?? -1 {
        widest = (x, share, otherShare)
      }
    }
    return widest
  }

  /// Shares of the values in bins between `edges`, which ascend; what lies beyond is counted in the outermost bin.
  package func histogram(edges: [Double]) -> [Double] {
    var counts = [Int](repeating: 0, count: edges.count - 1)
    for value in values {
      let bin = edges.lastIndex { $0 <= value } ?? 0
      counts[min(bin, counts.count - 1)] += 1
    }
    return counts.map { Double($0) / Double(max(values.count, 1)) }
  }
}
