import CKernels
import LacunaTestSupport

/// A weight matrix in guarded memory, and its products in double precision.
struct Matrix {
  let dtype: ck_dtype
  let rows: Int, cols: Int
  let blockRows: Int, blockCols: Int
  let data: GuardedBuffer
  let scales: GuardedBuffer
  let values: [Double]  // without scales
  let scaleValues: [Float]

  init(
    _ dtype: ck_dtype, rows: Int, cols: Int, blockRows: Int = 1, blockCols: Int? = nil, fill: Fill, seed: UInt64,
    shift: Int = 0, nanAt: [Int] = []
  ) {
    self.dtype = dtype
    self.rows = rows
    self.cols = cols
    self.blockRows = blockRows
    self.blockCols = blockCols ?? max(cols, 1)
    var generator = SeededGenerator(seed: seed)
    var bytes: [UInt8] = []
    var values: [Double] = []
    bytes.reserveCapacity(rows * cols * dtype.byteCount)
    for i in 0..<rows * cols {
      var bits = fill.weight(dtype, &generator)
      if nanAt.contains(i) { bits = dtype == CK_E4M3 ? 0x7F | (bits & 0x80) : dtype == CK_F32 ? 0x7FC0_0000 : 0x7FFF }
      for byte in 0..<dtype.byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * byte))) }
      switch dtype {
      case CK_F32: values.append(Double(Float(bitPattern: bits)))
      case CK_F16: values.append(f16(UInt16(bits)))
      case CK_BF16: values.append(bf16(UInt16(bits)))
      default: values.append(e4m3(UInt8(bits)))
      }
    }
    let count = (rows + blockRows - 1) / blockRows * max(1, (cols + self.blockCols - 1) / self.blockCols)
    scaleValues = (0..<count).map { _ in generator.float(0.5...2) }
    data = GuardedBuffer(copying: bytes, shift: shift)
    scales = GuardedBuffer(copying: scaleValues)
    self.values = values
  }

  /// E4M3 codes, all scales 1.
  init(codes: [UInt8], rows: Int, cols: Int, blockRows: Int, blockCols: Int) {
    dtype = CK_E4M3
    self.rows = rows
    self.cols = cols
    self.blockRows = blockRows
    self.blockCols = blockCols
    scaleValues = Array(repeating: 1, count: (rows + blockRows - 1) / blockRows * ((cols + blockCols - 1) / blockCols))
    data = GuardedBuffer(copying: codes)
    scales = GuardedBuffer(copying: scaleValues)
    values = codes.map(e4m3)
  }

  var weights: ck_weights {
    ck_weights(
      data: data.base, scales: dtype == CK_E4M3 ? UnsafePointer(scales.floats) : nil, rows: rows, cols: cols,
      block_rows: blockRows, block_cols: blockCols, dtype: dtype)
  }

  func scale(_ row: Int, _ col: Int) -> Double {
    dtype == CK_E4M3
      ? Double(scaleValues[row / blockRows * ((cols + blockCols - 1) / blockCols) + col / blockCols]) : 1
  }

  /// W x and, beside it, the sum of |w x|, for error bounds. x: [m][cols]; result: [m][rows].
  func product(_ x: [Float], m: Int) -> (exact: [Double], size: [Double]) {
    var exact = [Double](repeating: 0, count: m * rows), size = exact
    for i in 0..<m {
      for r in 0..<rows {
        var sum = 0.0, absolute = 0.0
        for k in 0..<cols {
          let term = values[r * cols + k] * scale(r, k) * Double(x[i * cols + k])
          sum += term
          absolute += abs(term)
        }
        exact[i * rows + r] = sum
        size[i * rows + r] = absolute
      }
    }
    return (exact, size)
  }

  /// `matmul` over the row ranges given, activations and output in guarded memory.
  func multiply(_ table: ck_table, _ x: [Float], m: Int, splits: [Int] = []) -> [Float] {
    var w = weights
    let stride = table.packed_row_bytes(cols, dtype)
    let packed = GuardedBuffer(byteCount: m * stride)
    let input = GuardedBuffer(copying: x)
    table.pack(packed.base, stride, m, input.floats, cols, 0, m, cols, dtype)
    let scratch = GuardedBuffer(byteCount: (table.matmul_scratch_bytes(cols) + 63) / 64 * 64)
    let out = GuardedBuffer(byteCount: m * rows * 4)
    let borders = [0] + splits + [rows]
    for (begin, end) in zip(borders, borders.dropFirst()) {
      table.matmul(out.floats, rows, &w, begin, end, packed.base, stride, m, scratch.base)
    }
    return out.array()
  }

  func multiplyFloat32(_ table: ck_table, _ x: [Float], m: Int, splits: [Int] = []) -> [Float] {
    var w = weights
    let input = GuardedBuffer(copying: x), out = GuardedBuffer(byteCount: m * rows * 4)
    let borders = [0] + splits + [rows]
    for (begin, end) in zip(borders, borders.dropFirst()) {
      table.matmul_f32(out.floats, rows, &w, begin, end, input.floats, cols, m)
    }
    return out.array()
  }

  func dequantized(_ table: ck_table, row: Int) -> [Float] {
    var w = weights
    let out = GuardedBuffer(byteCount: cols * 4)
    table.dequantize_row(out.floats, &w, row)
    return out.array()
  }
}
