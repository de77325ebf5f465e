#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A scale from values to places along one side of a drawing.
struct Axis: Sendable {
  enum Kind: Sendable { case linear, logarithmic }

  let kind: Kind
  /// Values at the ends.
  let range: ClosedRange<Double>
  /// Where the ends lie in the drawing.
  let places: (from: Double, to: Double)
  let ticks: [(value: Double, label: String)]

  /// Values beyond the range are drawn at its ends.
  func place(_ value: Double) -> Double {
    let share =
      (measure(value) - measure(range.lowerBound))
      / (measure(range.upperBound) - measure(range.lowerBound))
    return places.from + min(max(share, 0), 1) * (places.to - places.from)
  }

  private func measure(_ value: Double) -> Double {
    kind == .logarithmic ? log10(max(value, 1e-300)) : value
  }

  /// Whole powers of ten around the values, at most `decades` of them about 1.
  static func decades(of values: [Double], from: Double, to: Double, most: Int = 4) -> Axis {
    let known = values.filter { $0 > 0 && $0.isFinite }
    let low = max(-most, min(-1, Int(log10(known.min() ?? 0.1).rounded(.down))))
    let high = min(most, max(1, Int(log10(known.max() ?? 10).rounded(.up))))
    let ticks = (low...high).map { (pow(10, Double($0)), label(exponent: $0)) }
    return Axis(
      kind: .logarithmic, range: pow(10, Double(low))...pow(10, Double(high)), places: (from, to),
      ticks: ticks)
  }

  /// 0...1 in quarters.
  static func share(from: Double, to: Double) -> Axis {
    let ticks = [0, 0.25, 0.5, 0.75, 1].map { ($0, "\(Int($0 * 100))%") }
    return Axis(kind: .linear, range: 0...1, places: (from, to), ticks: ticks)
  }

  /// The range widened to round numbers: some five ticks, steps of 1, 2 or 5.
  static func linear(_ range: ClosedRange<Double>, from: Double, to: Double) -> Axis {
    let raw = max(range.upperBound - range.lowerBound, 1e-12) / 4
    let unit = pow(10, log10(raw).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * unit }.first { $0 >= raw } ?? raw
    let (low, high) = ((range.lowerBound / step).rounded(.down), (range.upperBound / step).rounded(.up))
    let digits = max(0, min(6, Int(-log10(step).rounded(.down))))
    let ticks = stride(from: low, through: high, by: 1).map { count -> (value: Double, label: String) in
      let value = count * step
      // Whole numbers without a point; a sum of steps may miss zero by a hair.
      return (value, digits == 0 ? "\(Int(max(-1e15, min(1e15, value))))" : decimal(count == 0 ? 0 : value, digits))
    }
    return Axis(kind: .linear, range: low * step...high * step, places: (from, to), ticks: ticks)
  }

  private static func label(exponent: Int) -> String {
    switch exponent {
    case -3...(-1): "0." + String(repeating: "0", count: -exponent - 1) + "1"
    case 0...3: "1" + String(repeating: "0", count: exponent)
    default: "1e\(exponent)"
    }
  }
}
