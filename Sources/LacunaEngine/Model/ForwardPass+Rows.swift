/// Filling a pass, a sequence after the other. Runs for every token: no allocation, no reference counting.
extension ForwardPass {
  /// Whether the sequence with these pages has a segment already.
  func contains(_ pages: UnsafePointer<UnsafeRawPointer?>) -> Bool {
    for index in 0..<segmentCount where scratch.segments[index].pages == pages { return true }
    return false
  }

  /// From now on rows belong to the sequence with these pages, from `firstPosition` on.
  func beginSegment(request: Int, firstPosition: Int, pages: UnsafePointer<UnsafeRawPointer?>) {
    scratch.segments[segmentCount] = Segment(
      firstRow: rowCount, count: 0, firstPosition: firstPosition, request: request, pages: pages)
    segmentCount += 1
  }

  /// Adds `tokens[start..<end]`.
  /// - Parameters:
  ///   - logits: where those after the last of these rows go, [vocab].
  ///   - scores: `scores[i]` is that of token `scoreFrom + i`, given all before it.
  ///   - scoredLogits: where the logits that each of them was scored by go, [count, vocab].
  @inline(never)  // A function of its own, for scripts/check-hot-path to read.
  func add(
    _ tokens: UnsafeBufferPointer<TokenID>, from start: Int, to end: Int, logits: UnsafeMutablePointer<Float>?,
    scoreFrom: Int, scores: UnsafeMutablePointer<TokenScore>?, scoredLogits: UnsafeMutablePointer<Float>?
  ) {
    for position in start..<max(start, end) {
      let row = addRow(tokens[position], position)
      let next = position + 1
      let isScored = next >= scoreFrom && next < tokens.count
      let last = next == end ? logits : nil
      guard isScored || last != nil else { continue }
      let place = next - scoreFrom
      addHeadRow(
        row, logits: last ?? (isScored ? scoredLogits.map { $0 + place * model.config.vocabSize } : nil),
        target: isScored ? tokens[next] : 0, score: isScored ? scores.map { $0 + place } : nil)
    }
  }

  /// Adds a token that the sequence does not have yet.
  func add(guess token: TokenID, position: Int, logits: UnsafeMutablePointer<Float>) {
    addHeadRow(addRow(token, position), logits: logits)
  }

  @inline(__always)
  private func addRow(_ token: TokenID, _ position: Int) -> Int {
    let (row, segment) = (rowCount, segmentCount - 1)
    scratch.rows[row] = Row(token: token, position: position, segment: segment)
    scratch.segments[segment].count += 1
    rowCount += 1
    return row
  }
}
