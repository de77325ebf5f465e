import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The kernel table in use, and the only caller of CKernels: shapes are checked here once for each operation.
struct Kernels: @unchecked Sendable {
  // SAFETY: the table is a constant of the C target, filled once before the first use.
  private let table: UnsafePointer<ck_table>

  static let best = Kernels(table: ck_table_best())

  var name: String { String(cString: table.pointee.name) }

  /// The C side ignores a LACUNA_ISA that it does not know; a user who mistyped it should hear of it.
  /// - Throws: `invalidArgument` naming the variable.
  static func checkEnvironment() throws(LacunaError) {
    let known = ["scalar", "neon", "avx2", "avx512", "avx512bf16", "avx512fp16", "amx"]
    guard let value = getenv("LACUNA_ISA").map({ String(cString: $0) }), !known.contains(value) else { return }
    throw LacunaError(
      .invalidArgument, "LACUNA_ISA: expected \(known.joined(separator: ", ")), found \"\(value)\"")
  }

  // MARK: Products

  /// Bytes of one packed activation row; see CKernels.h.
  func packedRowBytes(cols: Int, type: WeightType) -> Int {
    table.pointee.packed_row_bytes(cols, type.kernelType)
  }

  func matmulScratchBytes(cols: Int) -> Int { table.pointee.matmul_scratch_bytes(cols) }

  /// Packs the rows `rows` of the m rows of `input`, [m, inputStride], for a product of all m with weights of `type`.
  @inline(__always)
  func pack(
    _ x: UnsafeMutableRawPointer, xStride: Int, m: Int, _ input: UnsafePointer<Float>, inputStride: Int,
    rows: Range<Int>, cols: Int, type: WeightType
  ) {
    precondition(rows.upperBound <= m, "rows \(rows) of \(m)")
    table.pointee.pack(x, xStride, m, input, inputStride, rows.lowerBound, rows.upperBound, cols, type.kernelType)
  }

  /// out[i, r] = W[r] . x[i] for the rows r of `rows`; `out` is [m, outStride] and indexed by r itself.
  @inline(__always)
  func matmul(
    _ out: UnsafeMutablePointer<Float>, outStride: Int, _ weight: KernelMatrix, rows: Range<Int>,
    x: UnsafeRawPointer, xStride: Int, m: Int, scratch: UnsafeMutableRawPointer
  ) {
    precondition(rows.upperBound <= weight.rows, "rows \(rows) of a matrix of \(weight.rows)")
    table.pointee.matmul(out, outStride, weight.pointer, rows.lowerBound, rows.upperBound, x, xStride, m, scratch)
  }

  /// The same with float32 activations, [m, xStride] floats.
  @inline(__always)
  func matmulF32(
    _ out: UnsafeMutablePointer<Float>, outStride: Int, _ weight: KernelMatrix, rows: Range<Int>,
    x: UnsafePointer<Float>, xStride: Int, m: Int
  ) {
    precondition(rows.upperBound <= weight.rows, "rows \(rows) of a matrix of \(weight.rows)")
    table.pointee.matmul_f32(out, outStride, weight.pointer, rows.lowerBound, rows.upperBound, x, xStride, m)
  }

  @inline(__always)
  func dequantizeRow(_ out: UnsafeMutablePointer<Float>, _ weight: KernelMatrix, row: Int) {
    precondition(row >= 0 && row < weight.rows, "row \(row) of a matrix of \(weight.rows)")
    table.pointee.dequantize_row(out, weight.pointer, row)
  }

  // MARK: The rest of a layer

  @inline(__always)
  func rmsNorm(
    _ out: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>, weight: UnsafePointer<Float>, count: Int,
    eps: Float
  ) {
    table.pointee.rms_norm(out, input, weight, count, eps)
  }

  @inline(__always)
  func rope(
    _ x: UnsafeMutablePointer<Float>, heads: Int, headDim: Int, cosine: UnsafePointer<Float>,
    sine: UnsafePointer<Float>
  ) {
    table.pointee.rope(x, heads, headDim, cosine, sine)
  }

  @inline(__always)
  func swiglu(
    _ out: UnsafeMutablePointer<Float>, gate: UnsafePointer<Float>, up: UnsafePointer<Float>, count: Int
  ) {
    table.pointee.swiglu(out, gate, up, count)
  }

  @inline(__always)
  func add(_ out: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>, count: Int) {
    table.pointee.add(out, input, count)
  }

  @inline(__always)
  func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) { table.pointee.scale(x, count, factor) }

  // MARK: Attention

  @inline(__always)
  func storeKV(
    _ layout: KVLayout, page: UnsafeMutableRawPointer, slot: Int, key: UnsafePointer<Float>,
    value: UnsafePointer<Float>
  ) {
    table.pointee.kv_store(layout.pointer, page, slot, key, value)
  }

  @inline(__always)
  func attend(
    _ out: UnsafeMutablePointer<Float>, q: UnsafePointer<Float>, stride: Int, queries: Int, firstPosition: Int,
    layout: KVLayout, pages: UnsafePointer<UnsafeRawPointer?>, pageOffset: Int, kvHeads: Range<Int>, group: Int,
    scale: Float, scratch: UnsafeMutableRawPointer
  ) {
    table.pointee.attend(
      out, q, stride, queries, firstPosition, layout.pointer, pages, pageOffset, kvHeads.lowerBound, kvHeads.count,
      group, scale, scratch)
  }

  func attendScratchBytes(_ layout: KVLayout, group: Int) -> Int {
    table.pointee.attend_scratch_bytes(layout.pointer, group)
  }

  /// Softmax of (q . key * scale) over the positions 0..<visible, for one query head.
  func attentionProbabilities(
    _ out: UnsafeMutablePointer<Float>, q: UnsafePointer<Float>, visible: Int, layout: KVLayout,
    pages: UnsafePointer<UnsafeRawPointer?>, pageOffset: Int, kvHead: Int, scale: Float
  ) {
    table.pointee.attention_scores(out, q, visible, layout.pointer, pages, pageOffset, kvHead, scale)
    table.pointee.softmax(out, out, visible, 1)
  }

  // MARK: Logits

  /// The index of the largest value and the value.
  @inline(__always)
  func argmax(_ x: UnsafeBufferPointer<Float>) -> (index: Int, value: Float) {
    var value: Float = 0
    let index = table.pointee.argmax(x.baseAddress, x.count, &value)
    return (index, value)
  }

  /// The highest value and how many lie above -inf; NaN where one is NaN or +inf. The same on every table.
  static func range(_ x: UnsafePointer<Float>, _ count: Int) -> (highest: Float, open: Int) {
    var open = 0
    let highest = ck_table_best().pointee.range(x, count, &open)
    return (highest, open)
  }

  /// The `count` largest, in falling order, equal ones by rising index.
  func topK(_ x: UnsafeBufferPointer<Float>, count: Int) -> [(index: Int32, value: Float)] {
    var ids = [Int32](repeating: 0, count: count)
    var values = [Float](repeating: 0, count: count)
    let found = table.pointee.topk(&ids, &values, x.baseAddress, x.count, count)
    return (0..<found).map { (ids[$0], values[$0]) }
  }

  @inline(__always)
  func logSumExp(_ x: UnsafeBufferPointer<Float>) -> Float {
    table.pointee.logsumexp(x.baseAddress, x.count)
  }
}

/// A weight matrix as the kernels see it; the model that made it keeps it alive.
struct KernelMatrix: @unchecked Sendable {
  // SAFETY: points into the model's own table of descriptors, which is never written after loading.
  let pointer: UnsafePointer<ck_weights>

  var rows: Int { pointer.pointee.rows }
  var cols: Int { pointer.pointee.cols }
}

/// Descriptors of matrices at stable addresses.
final class KernelMatrixTable: @unchecked Sendable {
  // SAFETY: written only while the model is built.
  private let entries: UnsafeMutablePointer<ck_weights>
  private let capacity: Int
  private var count = 0

  init(capacity: Int) {
    entries = .allocate(capacity: capacity)
    self.capacity = capacity
  }

  deinit { entries.deallocate() }

  func add(_ weight: WeightMatrix) -> KernelMatrix {
    precondition(count < capacity, "a table of \(capacity) matrices is full")
    let entry = entries + count
    count += 1
    entry.initialize(
      to: ck_weights(
        data: weight.data, scales: weight.scales, rows: weight.rows, cols: weight.cols,
        block_rows: weight.blockRows, block_cols: weight.blockCols, dtype: weight.type.kernelType))
    return KernelMatrix(pointer: UnsafePointer(entry))
  }
}

/// The form of a page of keys and values, at a stable address.
final class KVLayout: @unchecked Sendable {
  // SAFETY: written once, here.
  let pointer: UnsafePointer<ck_kv_layout>
  let type: Engine.KVType

  /// Positions in a page.
  static let pagePositions = Int(CK_PAGE_POSITIONS)

  init(kvHeads: Int, headDim: Int, type: Engine.KVType) {
    let layout = UnsafeMutablePointer<ck_kv_layout>.allocate(capacity: 1)
    let dtype =
      switch type {
      case .f32: CK_F32
      case .bf16: CK_BF16
      case .fp8: CK_E4M3
      }
    layout.initialize(to: ck_kv_layout(kv_heads: kvHeads, head_dim: headDim, dtype: dtype))
    pointer = UnsafePointer(layout)
    self.type = type
  }

  deinit { pointer.deallocate() }

  /// Bytes of one layer's part of a page.
  var layerBytes: Int { ck_kv_page_bytes(pointer) }
}

/// A breath between two looks at a flag that another core will set.
@inline(__always)
func spinPause() { ck_pause() }

extension WeightType {
  var kernelType: ck_dtype {
    switch self {
    case .f32: CK_F32
    case .f16: CK_F16
    case .bf16: CK_BF16
    case .e4m3: CK_E4M3
    }
  }
}
