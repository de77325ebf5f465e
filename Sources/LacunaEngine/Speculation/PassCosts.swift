/// What a pass of each number of rows takes on this machine, as far as it was seen.
struct PassCosts {
  /// `seconds[n]`: a pass of n rows; 0 where none was seen.
  private var seconds: [Double]
  /// Of a prompt's pass, divided by its rows: what a row more costs where arithmetic, not memory, is the limit.
  private var promptRowSeconds = 0.0
  /// A row more is taken to cost at least this share of a pass of one row until it was seen.
  private static let presumedShare = 0.1

  init(rowCapacity: Int) { seconds = Array(repeating: 0, count: rowCapacity + 1) }

  /// The widest pass that was seen.
  var widest: Int { seconds.lastIndex { $0 > 0 } ?? 0 }

  mutating func recordPrompt(rows: Int, _ sample: Double) {
    let share = sample / Double(rows)
    promptRowSeconds = promptRowSeconds == 0 ? share : min(promptRowSeconds, share)
  }

  /// What a row of a prompt takes. A pass of one row must have been seen.
  var promptRow: Double { promptRowSeconds > 0 ? promptRowSeconds : 0.5 * seconds[1] }

  /// A pass of one row; nil until one was seen.
  var plain: Double? { seconds[1] > 0 ? seconds[1] : nil }

  /// What was seen in a text whose passes took longer or shorter, in proportion.
  mutating func rescale(toPlain sample: Double) {
    guard seconds[1] > 0 else { return seconds[1] = sample }
    let factor = sample / seconds[1]
    for rows in seconds.indices { seconds[rows] *= factor }
  }

  /// - Returns: the sample as it was counted: what another process took from this one is left out.
  @discardableResult
  mutating func record(rows: Int, _ sample: Double) -> Double {
    let known = seconds[rows]
    guard known > 0 else {
      seconds[rows] = sample
      return sample
    }
    let counted = min(sample, 2 * known)
    // The first pass of its kind touches memory for the first time: a faster one corrects it soon.
    seconds[rows] += (counted - known) * (counted < known ? 0.5 : 0.15)
    return counted
  }

  /// Between what was seen of fewer rows and of more. A pass of one row must have been seen.
  func estimate(rows: Int) -> Double {
    if seconds[rows] > 0 { return seconds[rows] }
    var below = rows
    while below > 1, seconds[below] == 0 { below -= 1 }
    var above = rows
    while above < seconds.count, seconds[above] == 0 { above += 1 }
    guard above < seconds.count else {
      return seconds[below] + Double(rows - below) * max(Self.presumedShare * seconds[1], promptRowSeconds)
    }
    let share = Double(rows - below) / Double(above - below)
    return seconds[below] + share * (seconds[above] - seconds[below])
  }
}
