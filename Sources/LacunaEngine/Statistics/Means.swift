/// Means and quantiles of plain numbers.
public enum Statistics {
  /// NaN for no values.
  public static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  /// n / (1/v1 + ... + 1/vn); 0 as soon as one value is 0, NaN for no values and for negative ones.
  public static func harmonicMean(_ values: [Double]) -> Double {
    guard !values.isEmpty, values.allSatisfy({ $0 >= 0 }) else { return .nan }
    if values.contains(0) { return 0 }
    return Double(values.count) / values.reduce(0) { $0 + 1 / $1 }
  }

  /// Linear between the two nearest ranks (Hyndman and Fan 1996, definition 7). NaN for no values.
  /// - Parameter share: 0...1; 0.5 is the median.
  public static func quantile(_ values: [Double], _ share: Double) -> Double {
    guard !values.isEmpty, (0...1).contains(share) else { return .nan }
    let sorted = values.sorted()
    let place = share * Double(sorted.count - 1)
    let below = Int(place.rounded(.down))
    guard below + 1 < sorted.count else { return sorted[below] }
    return sorted[below] + (place - Double(below)) * (sorted[below + 1] - sorted[below])
  }

  /// The area under the ROC curve: the share of pairs in which a positive's score exceeds a negative's, ties counting
  /// half (Mann and Whitney 1947). NaN unless there are both.
  public static func auc(positives: [Double], negatives: [Double]) -> Double {
    let sorted = negatives.sorted()
    var doubled = 0
    for score in positives {
      doubled += rank(of: score, in: sorted) { $0 < $1 } + rank(of: score, in: sorted) { $0 <= $1 }
    }
    return Double(doubled) / (2 * Double(positives.count) * Double(negatives.count))
  }

  /// How many of `sorted` come before `score`.
  private static func rank(of score: Double, in sorted: [Double], _ before: (Double, Double) -> Bool) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if before(sorted[middle], score) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
