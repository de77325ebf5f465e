/// Memory of one chain, for one vocabulary: allocated once, unspecified between tokens (but `counts`, which is zero).
/// It holds no state, so a forked chain can make its own.
final class SamplerScratch {
  let vocabularySize: Int
  /// [vocabSize] each.
  let ids: UnsafeMutablePointer<TokenID>
  let values: UnsafeMutablePointer<Float>
  let weights: UnsafeMutablePointer<Float>
  let scores: UnsafeMutablePointer<Float>
  let positions: UnsafeMutablePointer<Int32>
  let work: UnsafeMutablePointer<Int32>
  /// Zero whenever no stage is at work.
  let counts: UnsafeMutablePointer<Int32>
  /// [4, Selection.bucketCount]
  let histogram: UnsafeMutablePointer<Double>
  private let block: UnsafeMutableRawPointer
  /// Grows with the sequence.
  private var lengths: UnsafeMutableBufferPointer<Int32>

  init(vocabularySize: Int) {
    self.vocabularySize = vocabularySize
    // Vectors of 16 are written whole, and one index past the last hit.
    let column = (vocabularySize + 1 + 15) / 16 * 16 * 4
    let histogramBytes = 4 * Selection.bucketCount * MemoryLayout<Double>.stride
    block = .allocate(byteCount: 7 * column + histogramBytes, alignment: 64)
    histogram = block.bindMemory(to: Double.self, capacity: 4 * Selection.bucketCount)
    let columns = block + histogramBytes
    ids = columns.bindMemory(to: TokenID.self, capacity: column / 4)
    values = (columns + column).bindMemory(to: Float.self, capacity: column / 4)
    weights = (columns + 2 * column).bindMemory(to: Float.self, capacity: column / 4)
    scores = (columns + 3 * column).bindMemory(to: Float.self, capacity: column / 4)
    positions = (columns + 4 * column).bindMemory(to: Int32.self, capacity: column / 4)
    work = (columns + 5 * column).bindMemory(to: Int32.self, capacity: column / 4)
    counts = (columns + 6 * column).bindMemory(to: Int32.self, capacity: column / 4)
    counts.initialize(repeating: 0, count: column / 4)
    lengths = UnsafeMutableBufferPointer(start: nil, count: 0)
  }

  deinit {
    block.deallocate()
    lengths.deallocate()
  }

  /// Room for one number a token of the sequence, content unspecified.
  func lengths(capacity: Int) -> UnsafeMutablePointer<Int32> {
    if lengths.count < capacity {
      lengths.deallocate()
      lengths = .allocate(capacity: max(4096, 2 * capacity))
    }
    return lengths.baseAddress!
  }
}
