/// The tensors' values, a few megabytes of rows at a time.
extension Converter {
  private static let chunkByteCount = 4 << 20

  private static func chunks(of tensor: StoredTensor) -> StrideTo<Int> {
    stride(from: 0, to: tensor.rows, by: rowsPerChunk(tensor))
  }

  private static func rowsPerChunk(_ tensor: StoredTensor) -> Int {
    max(1, min(tensor.rows, chunkByteCount / (4 * max(tensor.cols, 1))))
  }

  static func writeBFloat16(
    _ tensor: StoredTensor, of source: any CheckpointSource, to file: borrowing OutputFile,
    at part: ConvertedShard.Part, _ pace: inout ConversionPace
  ) throws(LacunaError) {
    let step = rowsPerChunk(tensor)
    let values = try AlignedBuffer(byteCount: step * tensor.cols * 4)
    let rounded = try AlignedBuffer(byteCount: step * tensor.cols * 2)
    let out = rounded.base.assumingMemoryBound(to: UInt16.self)
    for first in chunks(of: tensor) {
      let rows = first..<min(first + step, tensor.rows)
      let count = rows.count * tensor.cols
      source.readRows(tensor.name, rows, into: values.floats())
      BFloat16.encode(values.floats(), count: count, into: out)
      // Catches NaN, infinity and what rounds to it.
      if let bad = (0..<count).first(where: { out[$0] & 0x7F80 == 0x7F80 }) {
        throw notFinite(tensor, source, row: rows.lowerBound + bad / tensor.cols, value: values.floats()[bad])
      }
      try file.write(
        UnsafeRawBufferPointer(start: rounded.base, count: 2 * count),
        at: part.byteOffset + 2 * first * tensor.cols)
      try pace.advance(by: 2 * count)
    }
  }

  static func writeQuantized(
    _ tensor: StoredTensor, of source: any CheckpointSource, to file: borrowing OutputFile,
    at part: ConvertedShard.Part, scales scalesPart: ConvertedShard.Part, _ pace: inout ConversionPace
  ) throws(LacunaError) {
    let step = rowsPerChunk(tensor)
    let values = try AlignedBuffer(byteCount: step * tensor.cols * 4)
    let codes = try AlignedBuffer(byteCount: step * tensor.cols)
    let out = codes.base.assumingMemoryBound(to: UInt8.self)
    let scales = try AlignedBuffer(byteCount: 4 * tensor.rows)
    // A source that is E4M3 with one scale for whole rows is taken over code by code: nothing is rounded twice.
    let exact = source.matrix(tensor.name).flatMap { $0.type == .e4m3 && $0.blockCols >= $0.cols ? $0 : nil }
    for first in chunks(of: tensor) {
      let rows = first..<min(first + step, tensor.rows)
      let count = rows.count * tensor.cols
      var bytes = UnsafeRawBufferPointer(start: codes.base, count: count)
      if let exact {
        bytes = UnsafeRawBufferPointer(start: exact.data + first * tensor.cols, count: count)
        for row in rows { scales.floats()[row] = exact.scales?[row / exact.blockRows] ?? 1 }
      } else {
        source.readRows(tensor.name, rows, into: values.floats())
        for row in rows {
          let start = (row - first) * tensor.cols
          let input = values.floats() + start
          guard let scale = Quantizer.quantize(input, count: tensor.cols, into: out + start) else {
            let bad = (0..<tensor.cols).first { !input[$0].isFinite } ?? 0
            throw notFinite(tensor, source, row: row, value: input[bad])
          }
          scales.floats()[row] = scale
        }
      }
      try file.write(bytes, at: part.byteOffset + first * tensor.cols)
      try pace.advance(by: count)
    }
    try file.write(
      UnsafeRawBufferPointer(start: scales.base, count: 4 * tensor.rows), at: scalesPart.byteOffset)
    try pace.advance(by: 4 * tensor.rows)
  }

  private static func notFinite(
    _ tensor: StoredTensor, _ source: any CheckpointSource, row: Int, value: Float
  ) -> LacunaError {
    LacunaError(
      .malformed, file: source.path, field: "\(tensor.name): row \(row)", expected: "values that bfloat16 can hold",
      found: "\(value)")
  }
}
