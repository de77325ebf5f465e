import CKernels
import LacunaTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct LogitsTests {
  static let shapes = [1, 2, 15, 16, 17, 63, 64, 65, 200, 1023, 1024, 1500, 32_000]

  static func row(_ n: Int, seed: UInt64, kind: Int) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<n).map { i in
      switch kind {
      case 0: return generator.float(-12...12)
      case 1: return Float(Int.random(in: -3...3, using: &generator))  // many equal values
      case 2: return Float(i)
      case 3: return -Float(i)
      default:  // masked and broken entries
        let special: [Float] = [-.infinity, .nan, 0, -0.0]
        return i % 3 == 0 ? special[Int.random(in: 0..<4, using: &generator)] : generator.float(-5...5)
      }
    }
  }

  @Test("softmax, log-softmax and logsumexp equal the scalar ones", arguments: Instructions.vector)
  func agreesWithScalar(_ instructions: Instructions) {
    let a = instructions.table, b = Instructions.scalar.table
    for n in Self.shapes {
      for kind in 0...4 {
        let x = Self.row(n, seed: UInt64(n), kind: kind)
        let context = "\(instructions.name) n=\(n) kind \(kind)"
        for factor in [Float(1), 0.3, 7] {
          expectEqual(
            inGuarded([x]) { a.softmax($0[0], $0[0], n, factor) },
            inGuarded([x]) { b.softmax($0[0], $0[0], n, factor) },
            "softmax \(context)")
          expectEqual(
            inGuarded([x]) { a.log_softmax($0[0], $0[0], n, factor) },
            inGuarded([x]) { b.log_softmax($0[0], $0[0], n, factor) }, "log_softmax \(context)")
        }
        expectEqual([a.logsumexp(x, n)], [b.logsumexp(x, n)], "logsumexp \(context)")
        expectEqual([a.sum(x, n)], [b.sum(x, n)], "sum \(context)")
      }
    }
  }

  @Test("softmax and logsumexp are near the exact ones", arguments: Instructions.available)
  func agreesWithDouble(_ instructions: Instructions) {
    let table = instructions.table
    for n in Self.shapes {
      let x = Self.row(n, seed: 31, kind: 0)
      let total = x.reduce(0.0) { $0 + exp(Double($1)) }
      #expect(abs(Double(table.logsumexp(x, n)) - log(total)) < 3e-6)
      let p = inGuarded([x]) { table.softmax($0[0], $0[0], n, 1) }
      expectNear(
        p, x.map { exp(Double($0)) / total }, within: x.map { exp(Double($0)) / total * 4e-6 },
        "softmax \(instructions.name) n=\(n)")
      let l = inGuarded([x]) { table.log_softmax($0[0], $0[0], n, 1) }
      expectNear(
        l, x.map { Double($0) - log(total) }, within: x.map { _ in 5e-6 }, "log_softmax \(instructions.name) \(n)")
    }
  }

  @Test("exp keeps its bound over its whole range", arguments: Instructions.available)
  func boundsExp(_ instructions: Instructions) {
    // softmax of (0, x) is (e, exp(x) e): the quotient is exp(x) after three more roundings.
    let bound = statedExpError + 3 * 0x1p-24
    var worst = 0.0, at: Float = 0
    var x: Float = -87.3
    while x <= 0 {
      var pair: [Float] = [0, x]
      instructions.table.softmax(&pair, pair, 2, 1)
      let exact = exp(Double(x))
      if pair[1] > 1e-37 {
        let error = abs(Double(pair[1]) / Double(pair[0]) / exact - 1)
        if error > worst { (worst, at) = (error, x) }
      }
      x += 0.00037
    }
    #expect(worst <= bound, "exp(\(at)) is off by \(worst)")
    for (input, expected) in [(Float(-1000), Float(0)), (-.infinity, 0), (0, 0.5)] {
      var pair: [Float] = [0, input]
      instructions.table.softmax(&pair, pair, 2, 1)
      #expect(pair[1] == expected)
    }
  }

  @Test("the largest and the k largest are those of a sort", arguments: Instructions.available)
  func selects(_ instructions: Instructions) {
    let table = instructions.table
    for n in Self.shapes {
      for kind in 0...4 {
        let x = Self.row(n, seed: UInt64(n) + 7, kind: kind), buffer = GuardedBuffer(copying: x)
        let order = x.indices.filter { x[$0] > -.infinity }.sorted { x[$0] != x[$1] ? x[$0] > x[$1] : $0 < $1 }
        let context = "\(instructions.name) n=\(n) kind \(kind)"
        for k in [0, 1, 2, 40, 100, 128, 129, 300, n, n + 5] where k <= 300 || n <= 1500 || kind == 0 {
          let ids = GuardedBuffer(byteCount: k * 4), values = GuardedBuffer(byteCount: k * 4)
          let count = table.topk(ids.values(), values.floats, buffer.floats, n, k)
          let expected = Array(order.prefix(k))
          let got = (0..<count).map { Int(ids.values(of: Int32.self)[$0]) }
          if got != expected {
            Issue.record("topk \(context) k=\(k): \(got.prefix(8)), expected \(expected.prefix(8))")
          }
          expectEqual((0..<count).map { values.floats[$0] }, got.map { x[$0] }, "topk values \(context) k=\(k)")
        }
        var value: Float = 0
        let best = table.argmax(buffer.floats, n, &value)
        if let first = order.first {
          #expect(best == first && sameBits(value, x[first]), "argmax \(context): \(best), expected \(first)")
        }
      }
    }
  }

  @Test(
    "the range of a row is that of a plain loop, and NaN where a value is NaN or +inf",
    arguments: Instructions.available)
  func ranges(_ instructions: Instructions) {
    let table = instructions.table
    for n in [0] + Self.shapes {
      for kind in 0...5 {
        // The last kind is of nothing but -inf and the lowest number above it.
        let x = Self.row(n, seed: UInt64(n) + 9, kind: kind).map {
          $0.isNaN ? -.infinity : kind == 5 ? ($0 < 0 ? -.infinity : -.greatestFiniteMagnitude) : $0
        }
        let buffer = GuardedBuffer(copying: x), context = "\(instructions.name) n=\(n) kind \(kind)"
        var open = -1
        let highest = table.range(buffer.floats, n, &open)
        #expect(sameBits(highest, (x.max() ?? -.infinity) + 0), "\(context)")
        #expect(open == x.count { $0 > -.infinity }, "\(context)")
        for value in [Float.nan, .infinity] {
          for place in x.indices where place < 40 || place % 997 == 0 {
            let before = buffer.floats[place]
            buffer.floats[place] = value
            #expect(table.range(buffer.floats, n, &open).isNaN, "\(context): \(value) at \(place)")
            buffer.floats[place] = before
          }
        }
      }
    }
  }

  @Test("rows of nothing but -inf or NaN", arguments: Instructions.available)
  func acceptsEmptyRows(_ instructions: Instructions) {
    let table = instructions.table
    for n in [1, 5, 16, 100] {
      let lowest = [Float](repeating: -.infinity, count: n), broken = [Float](repeating: .nan, count: n)
      var value: Float = 1
      #expect(table.argmax(lowest, n, &value) == 0 && value == -.infinity)
      #expect(table.argmax(broken, n, &value) == 0 && value == -.infinity)
      #expect(table.logsumexp(lowest, n) == -.infinity)
      #expect(inGuarded([lowest]) { table.softmax($0[0], $0[0], n, 1) } == [Float](repeating: 0, count: n))
      #expect(inGuarded([lowest]) { table.log_softmax($0[0], $0[0], n, 1) } == lowest)
      var ids = [Int32](repeating: 0, count: n), values = lowest
      #expect(table.topk(&ids, &values, lowest, n, n) == 0)
      #expect(table.topk(&ids, &values, broken, n, n) == 0)
    }
    #expect(table.sum([], 0) == 0 && table.dot([], [], 0) == 0)
  }
}

/// The bound that contract.h states for exp.
let statedExpError = 1.5e-7
