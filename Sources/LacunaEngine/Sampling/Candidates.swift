/// The tokens that can still be drawn, while one token is being chosen.
///
/// Dense at first: the caller's logits, a token's id being its place. A filter that leaves few makes it compact: ids,
/// in rising order, beside their logits. In both forms -inf is a masked token, and order is by falling logit with the
/// lower id first among equals.
struct Candidates: ~Copyable {
  let vocabularySize: Int
  let scratch: SamplerScratch
  private let dense: UnsafeMutablePointer<Float>
  private(set) var isDense = true
  /// Entries, masked ones included.
  private(set) var count: Int
  private var knownRange: LogitKernels.Range?
  private var knownTotal: Double?

  /// Borrows `logits` ([vocabSize]) and the scratch memory while it lives.
  init(_ logits: UnsafeMutableBufferPointer<Float>, _ scratch: SamplerScratch) {
    precondition(logits.count == scratch.vocabularySize, "\(logits.count) logits for \(scratch.vocabularySize) tokens")
    vocabularySize = logits.count
    count = logits.count
    dense = logits.baseAddress!
    self.scratch = scratch
  }

  /// [count]
  var logits: UnsafeMutablePointer<Float> { isDense ? dense : scratch.values }

  func id(at position: Int) -> TokenID {
    isDense ? TokenID(truncatingIfNeeded: position) : scratch.ids[position]
  }

  /// Where a token is; nil once a filter has dropped it, and for an id outside the vocabulary.
  func position(of id: TokenID) -> Int? {
    guard id >= 0, id < vocabularySize else { return nil }
    if isDense { return Int(id) }
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if scratch.ids[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low < count && scratch.ids[low] == id ? low : nil
  }

  // MARK: What is known of them

  /// The highest, and how many are not masked.
  /// - Throws: `notFinite` for NaN and +inf, naming the token, and when every token is masked.
  mutating func range() throws(LacunaError) -> LogitKernels.Range {
    if let knownRange { return knownRange }
    let range = LogitKernels.range(logits, count)
    if range.isBad || range.survivors == 0 { throw badLogits() }
    knownRange = range
    return range
  }

  /// Out of line: building a text would be all that touches a reference count here.
  @inline(never)
  private func badLogits() -> LacunaError {
    for position in 0..<count where !(logits[position] < .infinity) {
      return LacunaError(
        .notFinite, "logit of token \(id(at: position)): expected a number or -inf, found \(logits[position])")
    }
    return LacunaError(.notFinite, "logits: every token is masked: expected at least one above -inf")
  }

  /// `scratch.weights`[i] = e^(logit - highest) from now until the next change; returns their sum.
  mutating func weights() throws(LacunaError) -> Double {
    if let knownTotal { return knownTotal }
    let highest = try range().highest
    let total = LogitKernels.weights(scratch.weights, logits, count, highest: highest)
    knownTotal = total
    return total
  }

  /// In nats.
  mutating func entropy() throws(LacunaError) -> Double {
    let total = try weights()
    let highest = try range().highest
    return LogitKernels.entropy(logits, weights: scratch.weights, count, highest: highest, total: total)
  }

  /// The place of the most probable one.
  mutating func best() throws(LacunaError) -> Int {
    LogitKernels.firstIndex(of: try range().highest, logits, count)
  }

  // MARK: Changes

  /// Call after writing to `logits`. Checks them.
  mutating func logitsChanged() throws(LacunaError) {
    knownRange = nil
    knownTotal = nil
    _ = try range()
  }

  mutating func divide(by temperature: Float) throws(LacunaError) {
    LogitKernels.divide(logits, count, by: temperature)
    try logitsChanged()
  }

  /// Keeps `scratch.positions`[0 ..< kept], which are in rising order.
  mutating func keepPositions(_ kept: Int) {
    let positions = scratch.positions
    let (ids, values) = (scratch.ids, scratch.values)
    if isDense {
      for index in 0..<kept {
        ids[index] = positions[index]
        values[index] = dense[Int(positions[index])]
      }
    } else {
      // Forwards, in place: a position is never below its index.
      for index in 0..<kept {
        ids[index] = ids[Int(positions[index])]
        values[index] = values[Int(positions[index])]
      }
    }
    isDense = false
    count = kept
    knownRange = nil
    knownTotal = nil
  }

  mutating func keepOnly(_ position: Int) {
    scratch.positions[0] = Int32(truncatingIfNeeded: position)
    keepPositions(1)
  }

  /// Back to the dense form in the caller's logits, for a stage that knows no other.
  mutating func makeDense() -> UnsafeMutableBufferPointer<Float> {
    let logits = UnsafeMutableBufferPointer(start: dense, count: vocabularySize)
    guard !isDense else { return logits }
    logits.update(repeating: -.infinity)
    for index in 0..<count { dense[Int(scratch.ids[index])] = scratch.values[index] }
    isDense = true
    count = vocabularySize
    knownRange = nil
    knownTotal = nil
    return logits
  }
}
