import CKernels
import LacunaTestSupport
import Testing

@Suite struct FormatTests {
  @Test("all 256 E4M3 codes decode to their value", arguments: Instructions.available)
  func decodesEveryCode(_ instructions: Instructions) {
    let table = instructions.table
    let codes = GuardedBuffer(copying: (0...255).map { UInt8($0) })
    // As a row, for the look-up; as a column times one, for the products.
    var row = ck_weights(
      data: codes.base, scales: nil, rows: 1, cols: 256, block_rows: 1, block_cols: 256, dtype: CK_E4M3)
    var column = ck_weights(
      data: codes.base, scales: nil, rows: 256, cols: 1, block_rows: 1, block_cols: 1, dtype: CK_E4M3)
    var decoded = [Float](repeating: 0, count: 256), exact = decoded, packed = decoded
    table.dequantize_row(&decoded, &row, 0)
    table.matmul_f32(&exact, 256, &column, 0, 256, [1], 1, 1)
    let x = GuardedBuffer(byteCount: table.packed_row_bytes(1, CK_E4M3))
    let scratch = GuardedBuffer(byteCount: (table.matmul_scratch_bytes(1) + 63) / 64 * 64)
    table.pack(x.base, x.byteCount, 1, [1], 1, 0, 1, 1, CK_E4M3)
    table.matmul(&packed, 256, &column, 0, 256, x.base, x.byteCount, 1, scratch.base)
    for code in 0..<256 {
      let value = Float(e4m3(UInt8(code)))
      #expect(sameBits(decoded[code], value), "code \(code): \(decoded[code]), expected \(value)")
      for product in [exact[code], packed[code]] {  // a sum that began at +0 has no -0
        #expect(product == value || (product.isNaN && value.isNaN), "code \(code): \(product), expected \(value)")
      }
    }
  }

  @Test("all 65,536 half-precision and bfloat16 numbers decode to their value", arguments: Instructions.available)
  func decodesEveryHalf(_ instructions: Instructions) {
    let bits = GuardedBuffer(copying: (0...65_535).map { UInt16($0) })
    for dtype in [CK_F16, CK_BF16] {
      var w = ck_weights(
        data: bits.base, scales: nil, rows: 65_536, cols: 1, block_rows: 1, block_cols: 1, dtype: dtype)
      var got = [Float](repeating: 0, count: 65_536)
      instructions.table.matmul_f32(&got, 65_536, &w, 0, 65_536, [1], 1, 1)
      for i in 0..<65_536 {
        let value = Float(dtype == CK_F16 ? f16(UInt16(i)) : bf16(UInt16(i)))
        if !(got[i] == value || (got[i].isNaN && value.isNaN)) {
          Issue.record("\(instructions.name) \(dtype.name) \(i): \(got[i]), expected \(value)")
          return
        }
      }
    }
  }

  @Test("activations are rounded to bfloat16, or half precision, ties to even", arguments: Instructions.available)
  func roundsActivations(_ instructions: Instructions) {
    var generator = SeededGenerator(seed: 11)
    var inputs = (0..<20_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
    // Ties and their neighbours in both, and what is nearly infinite.
    inputs += [
      0x3F80_8000, 0x3F81_8000, 0x3F80_7FFF, 0x3F80_8001, 0x3F80_1000, 0x3F80_3000, 0x3F80_0FFF, 0x3F80_1001,
      0x7F7F_FFFF, 0x7F80_0000,
    ].map { Float(bitPattern: $0) }
    // Subnormal results are left out: VDPBF16PS takes them for zero.
    inputs = inputs.map { $0.isNaN || abs(roundedToBF16($0)) < Float.leastNormalMagnitude ? 1.5 : $0 }
    let table = instructions.table
    // One row that picks one element: bfloat16 1 is 0x3F80.
    for dtype in [CK_BF16, CK_E4M3] {
      let one = GuardedBuffer(copying: dtype == CK_BF16 ? [UInt8(0x80), 0x3F] : [UInt8(0x38)])
      var w = ck_weights(data: one.base, scales: nil, rows: 1, cols: 1, block_rows: 1, block_cols: 1, dtype: dtype)
      let packed = GuardedBuffer(byteCount: table.packed_row_bytes(1, dtype))
      let scratch = GuardedBuffer(byteCount: (table.matmul_scratch_bytes(1) + 63) / 64 * 64)
      for x in inputs {
        var got: Float = 0
        table.pack(packed.base, packed.byteCount, 1, [x], 1, 0, 1, 1, dtype)
        table.matmul(&got, 1, &w, 0, 1, packed.base, packed.byteCount, 1, scratch.base)
        let expected = instructions.rounded([x], cols: 1, for: dtype)[0]
        if got != expected {
          Issue.record(
            "\(instructions.name) \(dtype.name): \(x) (\(hex(x))) became \(hex(got)), expected \(hex(expected))")
          return
        }
      }
    }
  }

  @Test("stored FP8 values are the nearest codes of their vector's scale")
  func storesNearestCodes() {
    let headDim = 64
    var layout = ck_kv_layout(kv_heads: 1, head_dim: headDim, dtype: CK_E4M3)
    let codes = (0..<127).map { e4m3(UInt8($0)) }
    for (seed, size) in [(1, Float(1)), (2, 1e-3), (3, 448), (4, 3e4), (5, 1e-30)] {
      var generator = SeededGenerator(seed: UInt64(seed))
      let key = (0..<headDim).map { _ in generator.float(-size...size) }
      let page = GuardedBuffer(byteCount: ck_kv_page_bytes(&layout))
      Instructions.scalar.table.kv_store(&layout, page.base, 5, key, key)
      let scale = page.base.loadUnaligned(fromByteOffset: 2 * headDim * 32 + 5 * 4, as: Float.self)
      #expect(scale == key.map(abs).max()! / 448)
      for d in 0..<headDim {
        let code = page.base.load(fromByteOffset: (d / 2 * 32 + 5) * 2 + d % 2, as: UInt8.self)
        let target = Double(key[d] / scale)
        let nearest = codes.map { abs($0 - abs(target)) }.min()!
        #expect(abs(e4m3(code) - target) == nearest, "\(target) became \(e4m3(code))")
      }
    }
  }
}
