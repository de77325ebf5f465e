/// The two-sided Kolmogorov-Smirnov test of two samples, with the exact p-value.
///
/// The statistic is the largest difference of the two empirical distribution functions, found in integers. Under the
/// hypothesis of one continuous distribution every interleaving of the samples is equally likely, a lattice path from
/// (0, 0) to (n, m); p is the share of paths that somewhere reach the observed difference (Hodges 1958, "The
/// significance probability of the Smirnov two-sample test"). Ties are passed together, and p does not know of them.
public struct TwoSampleKS: Sendable, Equatable {
  /// Sizes of the two samples.
  public let n: Int
  public let m: Int
  /// D in its smallest steps: D = k / lcm(n, m), which is k / n for equal sizes.
  public let k: Int
  public let p: Double

  public var distance: Double {
    let (n, m) = (Double(n), Double(m))
    return Double(k) * Double(Self.gcd(self.n, self.m)) / (n * m)
  }

  /// The exact test takes time in proportion to n * m.
  public static let largestSample = 10_000

  /// - Throws: `invalidArgument` for an empty sample, one beyond `largestSample`, or a value that is not a number.
  public init(_ x: [Double], _ y: [Double]) throws(LacunaError) {
    for sample in [x, y] {
      guard (1...Self.largestSample).contains(sample.count) else {
        throw LacunaError(
          .invalidArgument, "KS test: expected samples of 1 to \(Self.largestSample) values, found \(sample.count)")
      }
      if let index = sample.firstIndex(where: \.isNaN) {
        throw LacunaError(.invalidArgument, "KS test: expected numbers, found NaN at index \(index)")
      }
    }
    self.init(n: x.count, m: y.count, k: Self.steps(x.sorted(), y.sorted()))
  }

  /// The test for samples of known sizes and distance k / lcm(n, m).
  init(n: Int, m: Int, k: Int) {
    self.n = n
    self.m = m
    self.k = k
    p = Self.reachingShare(n: n, m: m, difference: k * Self.gcd(n, m))
  }

  /// The largest |i m - j n| over the merged samples, i and j values passed of each, over gcd(n, m).
  private static func steps(_ x: [Double], _ y: [Double]) -> Int {
    let (n, m) = (x.count, y.count)
    var (i, j, largest) = (0, 0, 0)
    while i < n, j < m {
      let value = min(x[i], y[j])
      while i < n, x[i] == value { i += 1 }
      while j < m, y[j] == value { j += 1 }
      largest = max(largest, abs(i * m - j * n))
    }
    // Once one sample is used up the difference only shrinks.
    return largest / gcd(n, m)
  }

  /// The share of paths from (0, 0) to (n, m) with |i m - j n| >= difference at some point.
  ///
  /// From (i, j) a random path goes on to (i + 1, j) with probability (n - i) / (n + m - i - j). Going back from the end,
  /// each point's probability of reaching the border is a mean of its two successors': only positive numbers are added,
  /// so that p keeps its relative precision however small it is.
  private static func reachingShare(n: Int, m: Int, difference: Int) -> Double {
    guard difference > 0 else { return 1 }
    // reach[j] belongs to point (i, j), or to (i + 1, j) until it is overwritten; 1 from the border on.
    var reach = [Double](repeating: 1, count: m + 2)
    for i in stride(from: n, through: 0, by: -1) {
      // Points inside the border: i m - difference < j n < i m + difference.
      let low = max(0, (i * m - difference) / n + (i * m >= difference ? 1 : 0))
      let high = min(m, (i * m + difference - 1) / n)
      guard low <= high else { return 1 }
      if high < m { reach[high + 1] = 1 }
      for j in stride(from: high, through: low, by: -1) {
        let left = n + m - i - j
        guard left > 0 else {
          reach[j] = 0
          continue
        }
        let across = i < n ? Double(n - i) * reach[j] : 0
        let up = j < m ? Double(m - j) * reach[j + 1] : 0
        reach[j] = (across + up) / Double(left)
      }
    }
    return min(reach[0], 1)
  }

  private static func gcd(_ a: Int, _ b: Int) -> Int { b == 0 ? a : gcd(b, a % b) }
}
