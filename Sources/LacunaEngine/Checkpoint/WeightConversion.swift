import Dispatch
import Synchronization

/// Decodes a source's matrices and rounds them to the type that they run in, on all cores, a matrix at a time.
struct WeightConversion {
  let source: any CheckpointSource

  /// Elements that one thread holds as float32 at a time: 1 MiB.
  private static let chunkElementCount = 1 << 18

  /// - Parameter type: bf16, or the type of `CheckpointSource.plainType`, which holds every value as it is.
  /// - Throws: `resource` if there is no memory for the result.
  func plain(
    _ name: String, rows: Int, cols: Int, as type: WeightType
  ) throws(LacunaError) -> (WeightMatrix, SharedBuffer) {
    let buffer = SharedBuffer(try AlignedBuffer(byteCount: rows * cols * type.byteCount))
    let base = buffer.storage.base
    let out = Destination(codes: base, scales: nil)
    forEachChunk(rows: rows, cols: cols) { chunk, scratch in
      source.readRows(name, chunk, into: scratch)
      let codes = out.codes + chunk.lowerBound * cols * type.byteCount
      let count = chunk.count * cols
      switch type {
      case .f32: codes.assumingMemoryBound(to: Float.self).update(from: scratch, count: count)
      case .f16: HalfFloat.encode(scratch, count: count, into: codes.assumingMemoryBound(to: UInt16.self))
      case .bf16: BFloat16.encode(scratch, count: count, into: codes.assumingMemoryBound(to: UInt16.self))
      case .e4m3: preconditionFailure("codes need scales")
      }
    }
    return (WeightMatrix(data: base, rows: rows, cols: cols, type: type), buffer)
  }

  /// Rounded to a format, then to bf16.
  /// - Throws: `malformed` for a weight that is not finite; `resource`.
  func rounded(
    _ name: String, rows: Int, cols: Int, to format: RoundToNearest
  ) throws(LacunaError) -> (WeightMatrix, SharedBuffer) {
    let buffer = SharedBuffer(try AlignedBuffer(byteCount: rows * cols * 2))
    let base = buffer.storage.base
    let out = Destination(codes: base, scales: nil)
    let badRow = Atomic<Int>(-1)
    forEachChunk(rows: rows, cols: cols) { chunk, scratch in
      source.readRows(name, chunk, into: scratch)
      for row in chunk where !format.round(scratch + (row - chunk.lowerBound) * cols, count: cols) {
        badRow.store(row, ordering: .relaxed)
      }
      let codes = out.codes.assumingMemoryBound(to: UInt16.self) + chunk.lowerBound * cols
      BFloat16.encode(scratch, count: chunk.count * cols, into: codes)
    }
    try refuse(name, badRow: badRow.load(ordering: .relaxed))
    return (WeightMatrix(data: base, rows: rows, cols: cols, type: .bf16), buffer)
  }

  /// With one scale for the whole matrix.
  /// - Throws: `malformed` for a weight that is not finite; `resource`.
  func e4m3WithOneScale(_ name: String, rows: Int, cols: Int) throws(LacunaError) -> (WeightMatrix, SharedBuffer) {
    let codeByteCount = (rows * cols + 63) / 64 * 64
    let buffer = SharedBuffer(try AlignedBuffer(byteCount: codeByteCount + 4))
    let out = Destination(codes: buffer.storage.base, scales: buffer.storage.floats(at: codeByteCount))
    // Bit patterns of magnitudes rise with them.
    let largest = Atomic<UInt32>(0)
    let badRow = Atomic<Int>(-1)
    forEachChunk(rows: rows, cols: cols) { chunk, scratch in
      source.readRows(name, chunk, into: scratch)
      for row in chunk {
        if let most = Quantizer.absoluteMaximum(scratch + (row - chunk.lowerBound) * cols, count: cols) {
          largest.max(most.bitPattern, ordering: .relaxed)
        } else {
          badRow.store(row, ordering: .relaxed)
        }
      }
    }
    try refuse(name, badRow: badRow.load(ordering: .relaxed))
    let scale = Quantizer.scale(of: Float(bitPattern: largest.load(ordering: .relaxed)))
    out.scales?[0] = scale
    forEachChunk(rows: rows, cols: cols) { chunk, scratch in
      source.readRows(name, chunk, into: scratch)
      let codes = out.codes.assumingMemoryBound(to: UInt8.self) + chunk.lowerBound * cols
      Float8E4M3.encode(scratch, count: chunk.count * cols, divisor: scale, into: codes)
    }
    let matrix = WeightMatrix(
      data: out.codes, scales: out.scales.map { UnsafePointer($0) }, rows: rows, cols: cols, type: .e4m3)
    return (matrix, buffer)
  }

  /// - Throws: `malformed` for a weight that is not finite; `resource`.
  func e4m3(_ name: String, rows: Int, cols: Int) throws(LacunaError) -> (WeightMatrix, SharedBuffer) {
    let codeByteCount = (rows * cols + 63) / 64 * 64
    let buffer = SharedBuffer(try AlignedBuffer(byteCount: codeByteCount + rows * 4))
    let out = Destination(codes: buffer.storage.base, scales: buffer.storage.floats(at: codeByteCount))
    let badRow = Atomic<Int>(-1)
    forEachChunk(rows: rows, cols: cols) { chunk, scratch in
      source.readRows(name, chunk, into: scratch)
      for row in chunk {
        let codes = out.codes.assumingMemoryBound(to: UInt8.self) + row * cols
        let values = scratch + (row - chunk.lowerBound) * cols
        if let scale = Quantizer.quantize(values, count: cols, into: codes) {
          out.scales?[row] = scale
        } else {
          badRow.store(row, ordering: .relaxed)
        }
      }
    }
    try refuse(name, badRow: badRow.load(ordering: .relaxed))
    let matrix = WeightMatrix(
      data: out.codes, scales: out.scales.map { UnsafePointer($0) }, rows: rows, cols: cols, blockRows: 1,
      blockCols: cols, type: .e4m3)
    return (matrix, buffer)
  }

  /// - Parameter badRow: one that has values that are not finite; below 0 for none.
  private func refuse(_ name: String, badRow: Int) throws(LacunaError) {
    guard badRow < 0 else {
      throw LacunaError(
        .malformed, file: source.path, field: name, expected: "finite values", found: "others in row \(badRow)")
    }
  }

  private struct Destination: @unchecked Sendable {
    // SAFETY: threads write to rows of their own, and the buffer outlives them.
    let codes: UnsafeMutableRawPointer
    let scales: UnsafeMutablePointer<Float>?
  }

  /// Calls `body` with ranges of rows that cover all of them, and room for such a range in float32.
  private func forEachChunk(
    rows: Int, cols: Int, _ body: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) -> Void
  ) {
    let chunkRows = max(1, Self.chunkElementCount / max(cols, 1))
    let chunkCount = (rows + chunkRows - 1) / chunkRows
    DispatchQueue.concurrentPerform(iterations: chunkCount) { index in
      let chunk = index * chunkRows..<min((index + 1) * chunkRows, rows)
      let scratch = UnsafeMutablePointer<Float>.allocate(capacity: chunk.count * cols)
      defer { scratch.deallocate() }
      body(chunk, scratch)
    }
  }
}
