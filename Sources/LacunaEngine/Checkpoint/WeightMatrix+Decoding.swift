extension WeightMatrix {
  /// Rows as float32, scales applied. out: rows.count * cols floats.
  package func decode(_ range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    for row in range {
      decodeRow(row, into: out + (row - range.lowerBound) * cols)
    }
  }

  private func decodeRow(_ row: Int, into out: UnsafeMutablePointer<Float>) {
    let start = data + row * cols * type.byteCount
    switch type {
    case .f32: out.update(from: start.assumingMemoryBound(to: Float.self), count: cols)
    case .f16: HalfFloat.decode(start.assumingMemoryBound(to: UInt16.self), count: cols, into: out)
    case .bf16: BFloat16.decode(start.assumingMemoryBound(to: UInt16.self), count: cols, into: out)
    case .e4m3:
      let codes = start.assumingMemoryBound(to: UInt8.self)
      guard let scales else { return Float8E4M3.decode(codes, count: cols, scale: 1, into: out) }
      let rowScales = scales + row / blockRows * ((cols + blockCols - 1) / blockCols)
      for first in stride(from: 0, to: cols, by: blockCols) {
        Float8E4M3.decode(
          codes + first, count: min(blockCols, cols - first), scale: rowScales[first / blockCols], into: out + first)
      }
    }
  }
}
