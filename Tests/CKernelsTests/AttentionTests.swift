import CKernels
import LacunaTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A sequence whose keys and values lie in guarded pages; slots that were never written hold NaN.
struct Sequence {
  let layout: ck_kv_layout
  let group: Int, positions: Int
  let pages: [GuardedBuffer]
  let pageOffset: Int
  let queries: [Float]  // [positions][heads][head_dim]

  var headDim: Int { layout.head_dim }
  var kvHeads: Int { layout.kv_heads }
  var stride: Int { kvHeads * group * headDim }

  init(
    _ dtype: ck_dtype, kvHeads: Int, headDim: Int, group: Int, positions: Int, fill: Fill, seed: UInt64,
    table: ck_table,
    nanValueAt broken: Int? = nil, constant: Float? = nil
  ) {
    var layout = ck_kv_layout(kv_heads: kvHeads, head_dim: headDim, dtype: dtype)
    let bytes = ck_kv_page_bytes(&layout), offset = 64
    let pages = (0..<(positions + 31) / 32).map { _ in GuardedBuffer(byteCount: bytes + offset) }
    for page in pages { page.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: page.byteCount) }
    func numbers(_ count: Int, _ seed: UInt64) -> [Float] {
      constant.map { Array(repeating: $0, count: count) } ?? fill.values(count, seed: seed)
    }
    let keys = numbers(positions * kvHeads * headDim, seed)
    var values = numbers(positions * kvHeads * headDim, seed + 1)
    if let broken { values[broken * kvHeads * headDim] = .nan }
    for position in 0..<positions {
      let from = position * kvHeads * headDim, to = from + kvHeads * headDim
      let k = GuardedBuffer(copying: Array(keys[from..<to])), v = GuardedBuffer(copying: Array(values[from..<to]))
      table.kv_store(&layout, pages[position / 32].base + offset, position % 32, k.floats, v.floats)
    }
    self.layout = layout
    self.group = group
    self.positions = positions
    self.pages = pages
    self.pageOffset = offset
    queries = numbers(positions * kvHeads * group * headDim, seed + 2)
  }

  /// All positions, `chunk` queries and `heads` key-value heads at a time, or all of these.
  func attend(_ table: ck_table, chunk: Int, heads: Int? = nil) -> [Float] {
    var layout = layout
    let q = GuardedBuffer(copying: queries), out = GuardedBuffer(byteCount: queries.count * 4)
    let scratch = GuardedBuffer(byteCount: (table.attend_scratch_bytes(&layout, group) + 63) / 64 * 64)
    let pointers: [UnsafeRawPointer?] = pages.map { UnsafeRawPointer($0.base) }
    for first in Swift.stride(from: 0, to: positions, by: chunk) {
      for head in Swift.stride(from: 0, to: kvHeads, by: heads ?? kvHeads) {
        table.attend(
          out.floats + first * stride, q.floats + first * stride, stride, min(chunk, positions - first), first, &layout,
          pointers, pageOffset, head, min(heads ?? kvHeads, kvHeads - head), group, 1 / Float(headDim).squareRoot(),
          scratch.base)
      }
    }
    return out.array()
  }

  /// An element of the page as the layout describes it. part: 0 for keys, 1 for values.
  func stored(_ part: Int, _ position: Int, _ head: Int, _ d: Int) -> Double {
    let page = pages[position / 32].base + pageOffset, slot = position % 32, size = headDim * 32
    let within = part == 0 ? (d / 2 * 32 + slot) * 2 + d % 2 : (slot / 2 * headDim + d) * 2 + slot % 2
    let index = (2 * head + part) * size + within
    switch layout.dtype {
    case CK_F32: return Double(page.loadUnaligned(fromByteOffset: 4 * index, as: Float.self))
    case CK_BF16: return bf16(page.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    default:
      let scales = 2 * kvHeads * size + ((head * 2 + part) * 32 + slot) * 4
      return e4m3(page.load(fromByteOffset: index, as: UInt8.self))
        * Double(page.loadUnaligned(fromByteOffset: scales, as: Float.self))
    }
  }

  func exact() -> [Double] {
    var out = [Double](repeating: 0, count: queries.count)
    for head in 0..<kvHeads {
      let k = (0..<positions * headDim).map { stored(0, $0 / headDim, head, $0 % headDim) }
      let v = (0..<positions * headDim).map { stored(1, $0 / headDim, head, $0 % headDim) }
      for position in 0..<positions {
        for member in 0..<group {
          let at = position * stride + (head * group + member) * headDim
          let scores = (0...position).map { p -> Double in
            var sum = 0.0
            for d in 0..<headDim { sum += Double(queries[at + d]) * k[p * headDim + d] }
            return sum / Double(headDim).squareRoot()
          }
          let top = scores.max()!, weights = scores.map { exp($0 - top) }, total = weights.reduce(0, +)
          for p in 0...position {
            for d in 0..<headDim { out[at + d] += weights[p] / total * v[p * headDim + d] }
          }
        }
      }
    }
    return out
  }
}

@Suite struct AttentionTests {
  static let layouts = [CK_F32, CK_BF16, CK_E4M3]

  @Test(
    "the scores that are looked at equal the scalar ones and are near the exact ones",
    arguments: Instructions.available, layouts)
  func scores(_ instructions: Instructions, _ dtype: ck_dtype) {
    let table = instructions.table, scalar = Instructions.scalar.table
    for (headDim, positions) in [(2, 1), (6, 32), (24, 33), (128, 97)] {
      let sequence = Sequence(
        dtype, kvHeads: 2, headDim: headDim, group: 1, positions: positions, fill: .random, seed: 61, table: table)
      var layout = sequence.layout
      let q = GuardedBuffer(copying: Array(sequence.queries[headDim..<2 * headDim]))
      let pointers: [UnsafeRawPointer?] = sequence.pages.map { UnsafeRawPointer($0.base) }
      let outs = [table, scalar].map { table in
        let out = GuardedBuffer(byteCount: positions * 4)
        table.attention_scores(out.floats, q.floats, positions, &layout, pointers, sequence.pageOffset, 1, 0.25)
        return out.array(of: Float.self)
      }
      let context = "\(instructions.name) \(dtype.name) head_dim=\(headDim) n=\(positions)"
      expectEqual(outs[0], outs[1], context)
      let exact = (0..<positions).map { position in
        (0..<headDim).reduce(0.0) { $0 + Double(q.floats[$1]) * sequence.stored(0, position, 1, $1) } / 4
      }
      expectNear(outs[0], exact, within: exact.map { _ in 4e-5 }, context)
    }
  }

  @Test("attention equals the scalar one and is near the exact one", arguments: Instructions.available, layouts)
  func agreesWithScalar(_ instructions: Instructions, _ dtype: ck_dtype) {
    let table = instructions.table, scalar = Instructions.scalar.table
    let exactBits = !instructions.roundsDifferently(dtype)
    for (headDim, group, positions) in [
      (2, 1, 3), (6, 2, 33), (24, 3, 70), (64, 1, 65), (80, 5, 40), (128, 1, 97), (128, 4, 31), (256, 1, 34),
    ] {
      for fill in [Fill.random, .zeros, .subnormals, .tiny] {
        let sequence = Sequence(
          dtype, kvHeads: 2, headDim: headDim, group: group, positions: positions, fill: fill, seed: 41, table: table)
        let got = sequence.attend(table, chunk: positions)
        let context = "\(instructions.name) \(dtype.name) head_dim=\(headDim) group=\(group) n=\(positions) \(fill)"
        if exactBits { expectEqual(got, sequence.attend(scalar, chunk: positions), context) }
        // Values reach 4. Rounding queries and probabilities to bfloat16 moves a score by up to 2^-9 of the sum of
        // |q k|, which is below 10 here, and a probability by 2^-9 of itself.
        // Half precision rounds those by an eighth of that, but sums as well; that this is half of it was measured.
        let rough = instructions.sumsHalves(dtype) ? 0.04 : 0.08
        let tolerance = fill == .random ? (exactBits ? 4e-5 : rough) : 1e-30
        let exact = sequence.exact()
        expectNear(got, exact, within: exact.map { _ in tolerance }, context)
      }
    }
  }

  @Test(
    "attention to equal values, whose sums are the largest there are, is that value", arguments: Instructions.available,
    layouts)
  func holdsLargestSums(_ instructions: Instructions, _ dtype: ck_dtype) {
    for headDim in [64, 128, 256, 258, 512] {
      for size: Float in [1, 0x1p50, 0x1p-50] {
        let value = 0x1.FEp0 * size
        let sequence = Sequence(
          dtype, kvHeads: 1, headDim: headDim, group: 2, positions: 40, fill: .zeros, seed: 61,
          table: instructions.table,
          constant: value)
        let out = sequence.attend(instructions.table, chunk: 40)
        expectNear(
          out, out.map { _ in Double(value) }, within: out.map { _ in 0.01 * Double(value) },
          "\(instructions.name) \(dtype.name) head_dim=\(headDim) of \(value)")
      }
    }
  }

  @Test(
    "a query's bits do not depend on those that come with it, nor on other heads", arguments: Instructions.available,
    layouts)
  func ignoresChunks(_ instructions: Instructions, _ dtype: ck_dtype) {
    for (headDim, group) in [(24, 3), (64, 1), (128, 2)] {
      let sequence = Sequence(
        dtype, kvHeads: 5, headDim: headDim, group: group, positions: 101, fill: .random, seed: 51,
        table: instructions.table)
      let alone = sequence.attend(instructions.table, chunk: 1, heads: 1)
      for chunk in [1, 2, 3, 7, 16, 32, 33, 64, 101] {
        expectEqual(
          sequence.attend(instructions.table, chunk: chunk), alone,
          "\(instructions.name) \(dtype.name) head_dim=\(headDim) group=\(group) chunk \(chunk)")
      }
    }
  }

  @Test("a value that is not a number reaches no query before it", arguments: Instructions.available, layouts)
  func confinesNaN(_ instructions: Instructions, _ dtype: ck_dtype) {
    for headDim in [24, 64] {
      let sequences = [nil, 45].map { broken in
        Sequence(
          dtype, kvHeads: 1, headDim: headDim, group: 1, positions: 70, fill: .random, seed: 71,
          table: instructions.table, nanValueAt: broken)
      }
      for chunk in [1, 40, 70] {
        let outs = sequences.map { $0.attend(instructions.table, chunk: chunk) }
        let context = "\(instructions.name) \(dtype.name) head_dim=\(headDim) chunk \(chunk)"
        expectEqual(Array(outs[1][..<(45 * headDim)]), Array(outs[0][..<(45 * headDim)]), context)
        #expect(outs[1][45 * headDim].isNaN && outs[1][69 * headDim].isNaN, "\(context)")
      }
    }
  }

  @Test("positions that are not written yet do not matter", arguments: Instructions.available, layouts)
  func ignoresUnwritten(_ instructions: Instructions, _ dtype: ck_dtype) {
    for headDim in [24, 64] { expectUnwrittenIgnored(instructions, dtype, headDim: headDim) }
  }

  private func expectUnwrittenIgnored(_ instructions: Instructions, _ dtype: ck_dtype, headDim: Int) {
    // The first ones of 40 positions, once with the rest written and once with the rest NaN.
    let table = instructions.table
    let long = Sequence(
      dtype, kvHeads: 1, headDim: headDim, group: 1, positions: 40, fill: .random, seed: 61, table: table)
    var layout = long.layout
    for visible in 1...39 {
      let page = GuardedBuffer(byteCount: ck_kv_page_bytes(&layout)), second = GuardedBuffer(byteCount: page.byteCount)
      for buffer in [page, second] {
        buffer.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: buffer.byteCount)
      }
      let keys = Fill.random.values(40 * headDim, seed: 61), values = Fill.random.values(40 * headDim, seed: 62)
      for p in 0..<visible {
        let target = p < 32 ? page : second
        keys.withUnsafeBufferPointer { k in
          values.withUnsafeBufferPointer { v in
            table.kv_store(&layout, target.base, p % 32, k.baseAddress! + p * headDim, v.baseAddress! + p * headDim)
          }
        }
      }
      var out = [Float](repeating: 0, count: headDim)
      let scratch = GuardedBuffer(byteCount: (table.attend_scratch_bytes(&layout, 1) + 63) / 64 * 64)
      let q = Array(long.queries[(visible - 1) * headDim..<visible * headDim])
      let pointers: [UnsafeRawPointer?] = [UnsafeRawPointer(page.base), UnsafeRawPointer(second.base)]
      table.attend(
        &out, q, headDim, 1, visible - 1, &layout, pointers, 0, 0, 1, 1, 1 / Float(headDim).squareRoot(), scratch.base)
      let expected = Array(long.attend(table, chunk: 40)[(visible - 1) * headDim..<visible * headDim])
      expectEqual(out, expected, "\(instructions.name) \(dtype.name) head_dim=\(headDim) visible \(visible)")
    }
  }

  @Test("a NaN or infinite key or value reaches the output", arguments: Instructions.available, layouts)
  func showsNaN(_ instructions: Instructions, _ dtype: ck_dtype) {
    for headDim in [16, 64] { expectNaNShown(instructions, dtype, headDim: headDim) }
  }

  private func expectNaNShown(_ instructions: Instructions, _ dtype: ck_dtype, headDim: Int) {
    var layout = ck_kv_layout(kv_heads: 1, head_dim: headDim, dtype: dtype)
    let table = instructions.table
    for bad in [Float.nan, .infinity] {
      for inKey in [true, false] {
        let page = GuardedBuffer(byteCount: ck_kv_page_bytes(&layout))
        let scratch = GuardedBuffer(byteCount: (table.attend_scratch_bytes(&layout, 1) + 63) / 64 * 64)
        let good = [Float](repeating: 1, count: headDim)
        var broken = good
        broken[3] = bad
        table.kv_store(&layout, page.base, 0, good, good)
        table.kv_store(&layout, page.base, 1, inKey ? broken : good, inKey ? good : broken)
        var out = good
        let pointers: [UnsafeRawPointer?] = [UnsafeRawPointer(page.base)]
        table.attend(&out, good, headDim, 1, 1, &layout, pointers, 0, 0, 1, 1, 1, scratch.base)
        #expect(
          out.contains { !$0.isFinite },
          "\(instructions.name) \(dtype.name) head_dim=\(headDim) \(bad) in \(inKey ? "key" : "value")")
      }
    }
  }
}
