#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Fixed notation, and for what would round to nothing three digits and a power of ten.
func decimal(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, abs(value) < 1e9 else { return value.description }
  let isSmall = value != 0 && abs(value) < 1e-3
  let exponent = isSmall ? Int(log10(abs(value)).rounded(.down)) : 0
  let shown = isSmall ? abs(value) / pow(10, Double(exponent)) : abs(value)
  let places = isSmall ? 2 : digits
  let text = String(Int((shown * pow(10, Double(places))).rounded()))
  let padded = String(repeating: "0", count: max(0, places + 1 - text.count)) + text
  let number = (value < 0 ? "-" : "") + padded.dropLast(places) + "." + padded.suffix(places)
  return isSmall ? number + "e\(exponent)" : number
}
