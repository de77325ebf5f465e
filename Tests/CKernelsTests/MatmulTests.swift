import CKernels
import LacunaTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct MatmulTests {
  static let columns = [0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 72, 127, 128, 129, 200, 1023, 1024, 1100, 4096]

  /// Rounding of K products in 16 lanes, the tree and the scale; and what VDPBF16PS takes for zero.
  static func bound(_ size: Double, cols: Int) -> Double {
    Double(cols / 16 + 16) * 0x1p-24 * size + Double(cols) * 0x1p-120
  }

  /// The same for `instructions`, of each output of m tokens. In half precision each of the 32 products that a lane takes at a
  /// time is rounded into its sum, and that in four more additions, by 2^-11 of it or by 2^-25 where it is subnormal, in units
  /// of weight / 256 and of the token.
  static func bounds(
    _ instructions: Instructions, _ matrix: Matrix, _ x: [Float], size: [Double], m: Int
  ) -> [Double] {
    size.indices.map { i in
      let bound = bound(size[i], cols: matrix.cols)
      guard instructions.sumsHalves(matrix.dtype), matrix.cols > 0 else { return bound }
      let token = i / matrix.rows
      let unit = scalbn(256, halfExponent(Array(x[token * matrix.cols..<(token + 1) * matrix.cols])))
      let largestScale = Double(matrix.scaleValues.max() ?? 1)
      return bound + 37 * 0x1p-11 * size[i] + Double(matrix.cols) * 0x1p-24 * unit * largestScale
    }
  }

  @Test("products equal the scalar ones and are near the exact ones", arguments: Instructions.available, ck_dtype.all)
  func agreesWithScalar(_ instructions: Instructions, _ dtype: ck_dtype) {
    let table = instructions.table, scalar = Instructions.scalar.table
    let exactBits = !instructions.roundsDifferently(dtype)
    for (c, cols) in Self.columns.enumerated() {
      for fill in Fill.allCases {
        let seed = UInt64(c), rows = 9, m = [1, 2, 17][c % 3]
        let matrix = Matrix(dtype, rows: rows, cols: cols, fill: fill, seed: seed)
        let x = fill.values(m * cols, seed: seed + 99)
        let context = "\(instructions.name) \(dtype.name) \(rows)x\(cols) m=\(m) \(fill) seed \(seed)"
        let packed = matrix.multiply(table, x, m: m), float32 = matrix.multiplyFloat32(table, x, m: m)
        if instructions.isa != CK_ISA_SCALAR {
          expectEqual(float32, matrix.multiplyFloat32(scalar, x, m: m), "matmul_f32 \(context)")
          if exactBits { expectEqual(packed, matrix.multiply(scalar, x, m: m), "matmul \(context)") }
        }
        guard fill != .extremes || dtype == CK_E4M3 else { continue }  // would overflow
        let rounded = instructions.rounded(x, cols: cols, for: dtype)
        let exact = matrix.product(rounded, m: m), exactFloat32 = matrix.product(x, m: m)
        let bounds = Self.bounds(instructions, matrix, x, size: exact.size, m: m)
        expectNear(packed, exact.exact, within: bounds, "matmul \(context)")
        expectNear(
          float32, exactFloat32.exact, within: exactFloat32.size.map { Self.bound($0, cols: cols) },
          "matmul_f32 \(context)")
      }
    }
  }

  @Test(
    "a row's bits do not depend on the batch or on the range of rows", arguments: Instructions.available, ck_dtype.all)
  func ignoresBatchAndRange(_ instructions: Instructions, _ dtype: ck_dtype) {
    let table = instructions.table
    for (cols, rows, blockCols) in [(200, 23, 200), (1100, 37, 1100), (2048, 14, 2048), (320, 13, 128)] {
      let matrix = Matrix(
        dtype, rows: rows, cols: cols, blockRows: blockCols < cols ? 4 : 1, blockCols: blockCols,
        fill: .random, seed: 3)
      let x = Fill.random.values(72 * cols, seed: 4)
      var alone: [Float] = [], aloneFloat32: [Float] = []
      for i in 0..<72 {
        let token = Array(x[i * cols..<(i + 1) * cols])
        alone += matrix.multiply(table, token, m: 1)
        if i < 9 { aloneFloat32 += matrix.multiplyFloat32(table, token, m: 1) }
      }
      for m in Array(1...40) + Array(63...72) {
        let context = "\(instructions.name) \(dtype.name) \(rows)x\(cols) block \(blockCols) m=\(m)"
        let batch = Array(x[0..<m * cols])
        let splits = [[], [1], [rows - 1], [5, 6, 11]][m % 4]
        expectEqual(
          matrix.multiply(table, batch, m: m, splits: splits), Array(alone[0..<m * rows]), "\(context) \(splits)")
        if m < 10 {
          expectEqual(
            matrix.multiplyFloat32(table, batch, m: m, splits: splits), Array(aloneFloat32[0..<m * rows]),
            "f32 \(context) \(splits)")
        }
      }
    }
  }

  @Test(
    "a row's bits do not depend on how rows, columns and tokens are cut into panels", arguments: Instructions.available,
    ck_dtype.all)
  func ignoresPanels(_ instructions: Instructions, _ dtype: ck_dtype) {
    let table = instructions.table, rows = 101, m = 131
    for (cols, blockCols) in [
      (600, 600), (1100, 1100), (1100, 128), (1300, 576), (2500, 2048), (4000, 1088),
    ] {
      let matrix = Matrix(
        dtype, rows: rows, cols: cols, blockRows: blockCols < cols ? 4 : 1, blockCols: blockCols, fill: .random,
        seed: 21)
      let x = Fill.random.values(m * cols, seed: 22)
      let alone = (0..<m).flatMap { i in matrix.multiply(table, Array(x[i * cols..<(i + 1) * cols]), m: 1) }
      expectEqual(
        matrix.multiply(table, x, m: m), alone, "\(instructions.name) \(dtype.name) \(rows)x\(cols) block \(blockCols)")
    }
  }

  @Test(
    "a token of any size has the scalar's bits",
    arguments: Instructions.vector.filter { !$0.roundsDifferently(CK_E4M3) })
  func acceptsTokensOfAnySize(_ instructions: Instructions) {
    let scalar = Instructions.scalar.table
    for cols in [16, 72, 200] {
      let matrix = Matrix(CK_E4M3, rows: 11, cols: cols, fill: .random, seed: 12)
      for size: Float in [0x1p-140, 0x1p-120, 1, 0x1p12, 0x1p13, 0x1p14, 0x1p15, 0x1p40, 0x1p110, .infinity, .nan] {
        for m in 1...3 {
          var x = Fill.random.values(m * cols, seed: 13)
          // The last token's numbers, or one of them.
          for i in (m - 1) * cols..<m * cols where size.isFinite || i % cols == cols / 2 { x[i] *= size }
          expectEqual(
            matrix.multiply(instructions.table, x, m: m), matrix.multiply(scalar, x, m: m),
            "\(instructions.name) 11x\(cols) m=\(m) of size \(size)")
        }
      }
    }
  }

  @Test(
    "in half precision a power of two only moves a product, and what is not finite stays so",
    arguments: Instructions.available.filter { $0.sumsHalves(CK_E4M3) })
  func halvesAcceptTokensOfAnySize(_ instructions: Instructions) {
    for cols in [16, 72, 200, 2000] {
      let matrix = Matrix(CK_E4M3, rows: 11, cols: cols, fill: .random, seed: 12)
      let x = Fill.random.values(3 * cols, seed: 13), plain = matrix.multiply(instructions.table, x, m: 3)
      for size: Float in [0x1p-110, 0x1p-40, 0x1p-1, 0x1p12, 0x1p40, 0x1p100] {
        expectEqual(
          matrix.multiply(instructions.table, x.map { $0 * size }, m: 3), plain.map { $0 * size },
          "\(instructions.name) 11x\(cols) of size \(size)")
      }
      for odd: Float in [.infinity, -.infinity, .nan] {
        var spoilt = x
        spoilt[cols + cols / 2] = odd
        let out = matrix.multiply(instructions.table, spoilt, m: 3)
        for i in out.indices where i / 11 == 1 ? out[i].isFinite : out[i] != plain[i] {
          Issue.record("\(instructions.name) 11x\(cols) with \(odd): out[\(i)] = \(out[i]), without \(plain[i])")
          return
        }
      }
    }
  }

  @Test(
    "half precision is nearer to the exact product than activations in bfloat16 are",
    arguments: Instructions.available.filter { $0.sumsHalves(CK_E4M3) }, [1, 100, 3000] as [Float])
  func halvesAreNearer(_ instructions: Instructions, outlier: Float) {
    func rootMeanSquare(_ values: [Double]) -> Double {
      (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
    }
    for (cols, blockCols) in [(512, 512), (1100, 1100), (5000, 5000), (11008, 11008), (2500, 2048), (1100, 128)] {
      let m = 40
      let matrix = Matrix(
        CK_E4M3, rows: 20, cols: cols, blockRows: blockCols < cols ? 4 : 1, blockCols: blockCols, fill: .random,
        seed: 14)
      var x = Fill.random.values(m * cols, seed: 15)
      // As large models have them: a few activations that are far larger than the others.
      for token in 0..<m {
        for i in [7, cols / 3, cols - 5] { x[token * cols + i] *= outlier }
      }
      let exact = matrix.product(x, m: m).exact, fromBF16 = matrix.product(x.map(roundedToBF16), m: m).exact
      let half = matrix.multiply(instructions.table, x, m: m)
      let halfError = rootMeanSquare(zip(half, exact).map { Double($0) - $1 })
      let bf16Error = rootMeanSquare(zip(fromBF16, exact).map { $0 - $1 })
      #expect(halfError < bf16Error, "\(instructions.name) 20x\(cols) block \(blockCols), outliers of \(outlier)")
    }
  }

  @Test(
    "half precision holds the largest sums there are",
    arguments: Instructions.available.filter { $0.sumsHalves(CK_E4M3) })
  func halvesDoNotOverflow(_ instructions: Instructions) {
    for (cols, blockCols) in [(1024, 1024), (2048, 2048), (4096, 4096), (2500, 2048)] {
      for sign: Float in [1, -1] {
        let matrix = Matrix(
          codes: [UInt8](repeating: 0x7E, count: 5 * cols), rows: 5, cols: cols, blockRows: blockCols < cols ? 4 : 1,
          blockCols: blockCols)
        let x = [Float](repeating: sign * 0x1.FFFp10, count: 9 * cols)
        let exact = matrix.product(instructions.rounded(x, cols: cols, for: CK_E4M3), m: 9)
        expectNear(
          matrix.multiply(instructions.table, x, m: 9), exact.exact,
          within: Self.bounds(instructions, matrix, x, size: exact.size, m: 9), "\(instructions.name) 5x\(cols) \(sign)"
        )
      }
    }
  }

  @Test("scales of blocks and of tensors", arguments: Instructions.available)
  func appliesScales(_ instructions: Instructions) {
    let table = instructions.table, scalar = Instructions.scalar.table
    for (rows, cols, blockRows, blockCols) in [
      (9, 256, 128, 128), (300, 300, 128, 128), (7, 130, 2, 64), (5, 5000, 5, 5000), (6, 2500, 3, 2048),
      (6, 4000, 3, 1088),
    ] {
      for m in [1, 3, 21, 70] {
        let matrix = Matrix(
          CK_E4M3, rows: rows, cols: cols, blockRows: blockRows, blockCols: blockCols, fill: .random, seed: 5)
        let x = Fill.random.values(m * cols, seed: 6)
        let context = "\(instructions.name) \(rows)x\(cols) blocks \(blockRows)x\(blockCols) m=\(m)"
        let packed = matrix.multiply(table, x, m: m), float32 = matrix.multiplyFloat32(table, x, m: m)
        let exact = matrix.product(instructions.rounded(x, cols: cols, for: CK_E4M3), m: m)
        let exactFloat32 = matrix.product(x, m: m)
        let bounds = Self.bounds(instructions, matrix, x, size: exact.size, m: m)
        expectNear(packed, exact.exact, within: bounds, context)
        expectNear(float32, exactFloat32.exact, within: exactFloat32.size.map { Self.bound($0, cols: cols) }, context)
        expectEqual(float32, matrix.multiplyFloat32(scalar, x, m: m), "f32 \(context)")
        if !instructions.roundsDifferently(CK_E4M3) { expectEqual(packed, matrix.multiply(scalar, x, m: m), context) }
        let row = rows - 1
        expectEqual(
          matrix.dequantized(table, row: row),
          (0..<cols).map { Float(matrix.values[row * cols + $0] * matrix.scale(row, $0)) }, "look-up \(context)")
      }
    }
  }

  @Test("weights may lie at any address", arguments: Instructions.available, ck_dtype.all)
  func readsUnaligned(_ instructions: Instructions, _ dtype: ck_dtype) {
    let table = instructions.table
    for m in [1, 3, 20, 70] {
      let x = Fill.random.values(m * 200, seed: 8)
      let aligned = Matrix(dtype, rows: 6, cols: 200, fill: .random, seed: 7)
      let expected = aligned.multiply(table, x, m: m), expectedFloat32 = aligned.multiplyFloat32(table, x, m: m)
      for shift in [1, 2, 3, 5, 33, 63] {
        let moved = Matrix(dtype, rows: 6, cols: 200, fill: .random, seed: 7, shift: shift)
        let context = "\(instructions.name) \(dtype.name) m=\(m) shift \(shift)"
        expectEqual(moved.multiply(table, x, m: m), expected, context)
        expectEqual(moved.multiplyFloat32(table, x, m: m), expectedFloat32, "f32 \(context)")
        expectEqual(moved.dequantized(table, row: 5), aligned.dequantized(table, row: 5), "look-up \(context)")
      }
    }
  }

  @Test("a NaN weight makes its own row NaN and no other", arguments: Instructions.available, ck_dtype.all)
  func confinesNaN(_ instructions: Instructions, _ dtype: ck_dtype) {
    for cols in [1, 16, 72, 200] {
      for m in [1, 2, 4, 8, 20, 70] {
        for place in [0, cols / 2, cols - 1] {
          let matrix = Matrix(dtype, rows: 8, cols: cols, fill: .random, seed: 9, nanAt: [3 * cols + place])
          let x = Fill.random.values(m * cols, seed: 10)
          for out in [
            matrix.multiply(instructions.table, x, m: m), matrix.multiplyFloat32(instructions.table, x, m: m),
          ] {
            for i in out.indices where out[i].isNaN != (i % 8 == 3) {
              Issue.record("\(instructions.name) \(dtype.name) 8x\(cols) m=\(m) NaN at \(place): out[\(i)] = \(out[i])")
              return
            }
          }
        }
      }
    }
  }

  @Test("rows packed by several hands are as if by one", arguments: Instructions.available, ck_dtype.all)
  func packsInParts(_ instructions: Instructions, _ dtype: ck_dtype) {
    let table = instructions.table
    for (m, cols) in [(1, 70), (16, 64), (21, 130), (40, 200)] {
      let input = GuardedBuffer(copying: Fill.random.values(m * cols, seed: 30))
      let stride = table.packed_row_bytes(cols, dtype)
      let whole = GuardedBuffer(byteCount: m * stride)
      table.pack(whole.base, stride, m, input.floats, cols, 0, m, cols, dtype)
      for step in [1, 5, 16, 17] {
        let parts = GuardedBuffer(byteCount: m * stride)
        for begin in Swift.stride(from: 0, to: m, by: step) {
          table.pack(parts.base, stride, m, input.floats, cols, begin, min(begin + step, m), cols, dtype)
        }
        #expect(
          parts.array(of: UInt8.self) == whole.array(of: UInt8.self),
          "\(instructions.name) \(dtype.name) m=\(m) cols=\(cols) by \(step)")
      }
    }
  }

  @Test("an empty range writes nothing", arguments: Instructions.available)
  func acceptsEmptyRanges(_ instructions: Instructions) {
    let matrix = Matrix(CK_E4M3, rows: 4, cols: 64, fill: .random, seed: 1)
    var w = matrix.weights
    let table = instructions.table
    let packed = GuardedBuffer(byteCount: table.packed_row_bytes(64, CK_E4M3))
    table.matmul(packed.floats, 4, &w, 2, 2, packed.base, packed.byteCount, 1, packed.base)
    table.matmul_f32(packed.floats, 4, &w, 4, 4, packed.floats, 64, 1)
    #expect(packed.array(of: Float.self).allSatisfy { $0 == 0 })
    #expect(table.packed_row_bytes(1, CK_BF16) % 64 == 0 && table.packed_row_bytes(4096, CK_E4M3) % 64 == 0)
  }
}
