import CKernels
import LacunaTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs `body` on copies of the inputs in guarded memory and returns the first one afterwards.
func inGuarded(_ inputs: [[Float]], _ body: ([UnsafeMutablePointer<Float>]) -> Void) -> [Float] {
  let buffers = inputs.map { GuardedBuffer(copying: $0) }
  body(buffers.map { $0.floats })
  return buffers[0].array()
}

@Suite struct LayerTests {
  @Test("elementwise kernels and reductions equal the scalar ones", arguments: Instructions.vector)
  func agreesWithScalar(_ instructions: Instructions) {
    let a = instructions.table, b = Instructions.scalar.table
    for n in shapes {
      for fill in Fill.allCases {
        let x = fill.values(n, seed: UInt64(n)), y = fill.values(n, seed: UInt64(n) + 1)
        let context = "\(instructions.name) n=\(n) \(fill) seed \(n)"
        func check(_ op: String, _ run: (ck_table, [UnsafeMutablePointer<Float>]) -> Void) {
          expectEqual(inGuarded([x, y]) { run(a, $0) }, inGuarded([x, y]) { run(b, $0) }, "\(op) \(context)")
        }
        check("add") { $0.add($1[0], $1[1], n) }
        check("scale") { $0.scale($1[0], n, -0.37) }
        check("axpy") { $0.axpy($1[0], $1[1], n, 1.7) }
        check("swiglu") { $0.swiglu($1[0], $1[0], $1[1], n) }
        check("mask_below") { $0.mask_below($1[0], n, 0.25) }
        check("rms_norm") { if n > 0 { $0.rms_norm($1[0], $1[0], $1[1], n, 1e-5) } }
        func reduced(_ table: ck_table) -> [Float] {
          let u = GuardedBuffer(copying: x), v = GuardedBuffer(copying: y)
          return [table.sum(u.floats, n), table.dot(u.floats, v.floats, n)]
        }
        expectEqual(reduced(a), reduced(b), "sum, dot \(context)")
      }
    }
    for headDim in [2, 6, 24, 32, 64, 80, 128] {
      let x = Fill.random.values(3 * headDim, seed: 1)
      let angles = Fill.random.values(headDim / 2, seed: 2)
      let both = [a, b].map { table in
        inGuarded([x, angles.map { cos($0) }, angles.map { sin($0) }]) { table.rope($0[0], 3, headDim, $0[1], $0[2]) }
      }
      expectEqual(both[0], both[1], "rope \(instructions.name) head_dim=\(headDim)")
    }
  }

  @Test("norm, rotation and activation are near the exact ones", arguments: Instructions.available)
  func agreesWithDouble(_ instructions: Instructions) {
    let table = instructions.table
    for n in [1, 16, 72, 200, 4096] {
      let x = Fill.random.values(n, seed: 21), w = Fill.random.values(n, seed: 22)
      let mean = x.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(n)
      let norm = inGuarded([x, w]) { table.rms_norm($0[0], $0[0], $0[1], n, 1e-5) }
      let exact = zip(x, w).map { Double($0) * Double($1) / (mean + 1e-5).squareRoot() }
      expectNear(norm, exact, within: exact.map { abs($0) * 2e-6 }, "rms_norm \(instructions.name) n=\(n)")
      let glu = inGuarded([x, w]) { table.swiglu($0[0], $0[0], $0[1], n) }
      let exactGLU = zip(x, w).map { Double($0) / (1 + exp(-Double($0))) * Double($1) }
      expectNear(glu, exactGLU, within: exactGLU.map { abs($0) * 1e-6 }, "swiglu \(instructions.name) n=\(n)")
      let total = table.sum(x, n), product = table.dot(x, w, n)
      #expect(abs(Double(total) - x.reduce(0.0) { $0 + Double($1) }) < 1e-3)
      #expect(abs(Double(product) - zip(x, w).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }) < 1e-2)
    }
    let headDim = 24, x = Fill.random.values(2 * headDim, seed: 23), angles = Fill.random.values(12, seed: 24)
    let turned = inGuarded([x, angles.map { cos($0) }, angles.map { sin($0) }]) {
      table.rope($0[0], 2, headDim, $0[1], $0[2])
    }
    let exact = (0..<2 * headDim).map { i -> Double in
      let head = i / headDim * headDim, j = i % headDim % 12
      let low = Double(x[head + j]), high = Double(x[head + j + 12])
      let c = Double(cos(angles[j])), s = Double(sin(angles[j]))
      return i % headDim < 12 ? low * c - high * s : high * c + low * s
    }
    expectNear(turned, exact, within: exact.map { _ in 2e-6 }, "rope \(instructions.name)")
  }

  @Test("extreme gates saturate", arguments: Instructions.available)
  func saturates(_ instructions: Instructions) {
    let gates: [Float] = [-1000, -100, -89, -88, 88, 89, 100, 1000, 3e38, -3e38]
    let out = inGuarded([gates, gates.map { _ in 1 }]) { instructions.table.swiglu($0[0], $0[0], $0[1], gates.count) }
    for (gate, value) in zip(gates, out) {
      let exact = Double(gate) / (1 + exp(-Double(gate)))
      #expect(abs(Double(value) - exact) <= abs(exact) * 1e-6 + 1e-35, "\(gate): \(value), exact \(exact)")
    }
  }
}
