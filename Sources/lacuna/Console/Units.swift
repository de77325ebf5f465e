/// "6.74 GB": powers of 1000, three significant digits.
func formatBytes(_ count: Int) -> String {
  var value = Double(count)
  let units = ["B", "kB", "MB", "GB", "TB"]
  var unit = 0
  while value >= 999.5, unit + 1 < units.count {
    value /= 1000
    unit += 1
  }
  return unit == 0 ? "\(count) B" : "\(significant(value, 3)) \(units[unit])"
}

/// "6.74 billion", "1.23 million", "812".
func formatCount(_ count: Int) -> String {
  switch count {
  case 1_000_000_000...: "\(significant(Double(count) / 1e9, 3)) billion"
  case 1_000_000...: "\(significant(Double(count) / 1e6, 3)) million"
  default: String(count)
  }
}

/// Fixed notation with `digits` significant digits at least, and all digits left of the point.
func significant(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite else { return "-" }
  var decimals = digits - 1
  var bound = 10.0
  while abs(value) >= bound, decimals > 0 {
    decimals -= 1
    bound *= 10
  }
  return fixed(value, decimals)
}

/// `value` rounded to `decimals` digits after the point, at most 9 of them.
func fixed(_ value: Double, _ decimals: Int) -> String {
  guard value.isFinite, abs(value) < 1e9 else { return value.description }
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let scaled = Int((abs(value) * scale).rounded())
  let sign = value < 0 && scaled > 0 ? "-" : ""
  guard decimals > 0 else { return sign + String(scaled) }
  let digits = String(scaled)
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

/// "42s", "3m12s", "2h05m".
func formatDuration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
  let whole = Int(seconds.rounded())
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  if whole < 60 { return "\(whole)s" }
  return whole < 3600 ? "\(whole / 60)m\(two(whole % 60))s" : "\(whole / 3600)h\(two(whole / 60 % 60))m"
}

extension String {
  /// Padded with spaces on the right to `width` characters.
  func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
  /// Padded with spaces on the left.
  func aligned(_ width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
