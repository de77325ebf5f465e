import Foundation
import LacunaEngine
import Testing

@Suite("Seeded random numbers")
struct SeededRandomTests {
  @Test("Philox4x32-10 gives the known answers published with Random123")
  func knownAnswers() {
    let all = UInt32.max
    #expect(
      SeededRandom.philox(counter: SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      SeededRandom.philox(counter: SIMD4(all, all, all, all), key: SIMD2(all, all))
        == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      SeededRandom.philox(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test("seed, stream, position and draw each go into the block as they are")
  func layout() {
    var random = SeededRandom(
      seed: 0x299f_31d0_a409_3822, stream: 0x0370_7344_1319_8a2e, position: 0x85a3_08d3, draw: 0x243f_6a88)
    let block = random.nextBlock()
    #expect(block.high == 0x94fd_cceb_d16c_fe09)
    #expect(block.low == 0x2412_6ea1_5001_e420)
  }

  @Test("every kind of number takes one draw, and a draw can be taken again")
  func oneDrawEach() {
    var random = SeededRandom(seed: 9, stream: 2, position: 7)
    _ = (random.uniform(), random.normal(), random.gumbel(), random.integer(in: -3...3), random.next())
    #expect(random == SeededRandom(seed: 9, stream: 2, position: 7, draw: 5))
    var again = SeededRandom(seed: 9, stream: 2, position: 7, draw: 5)
    #expect(random.uniform() == again.uniform())
    var last = SeededRandom(seed: 9, position: 7, draw: .max)
    _ = last.next()
    #expect(last == SeededRandom(seed: 9, position: 8, draw: 0))
  }

  @Test("uniform, normal and Gumbel numbers have their means and variances")
  func moments() {
    var random = SeededRandom(seed: 11)
    let count = 40_000
    func moments(_ next: () -> Double) -> (mean: Double, variance: Double) {
      let values = (0..<count).map { _ in next() }
      let mean = values.reduce(0, +) / Double(count)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count))
    }
    let uniform = moments { random.uniform() }
    #expect(abs(uniform.mean - 0.5) < 0.006 && abs(uniform.variance - 1 / 12) < 0.002)
    let normal = moments { random.normal() }
    #expect(abs(normal.mean) < 0.02 && abs(normal.variance - 1) < 0.03)
    let gumbel = moments { random.gumbel() }
    #expect(abs(gumbel.mean - 0.5772157) < 0.026 && abs(gumbel.variance - .pi * .pi / 6) < 0.08)
  }

  @Test("integers stay in their range and reach all of it")
  func integers() {
    var random = SeededRandom(seed: 12)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<14_000 { counts[Int(random.integer(in: -2...4)) + 2] += 1 }
    #expect(counts.allSatisfy { abs($0 - 2000) < 170 })
    #expect(random.integer(in: 5...5) == 5)
    for _ in 0..<50 {
      _ = random.integer(in: .min ... .max)
      #expect(random.integer(in: (.max - 1) ... .max) >= .max - 1)
      #expect(random.integer(in: .min...(.max - 1)) < .max)
    }
  }

  @Test("fork streams differ by parent and by number")
  func streams() {
    var seen: Set<UInt64> = []
    for parent in 0..<50 as Range<UInt64> {
      for n in 0..<50 as Range<UInt64> { seen.insert(SeededRandom.hash(parent, n)) }
    }
    #expect(seen.count == 2500)
    #expect(SeededRandom.hash(3, 4) == SeededRandom.hash(3, 4))
    #expect(SeededRandom.hash(1, 0) != SeededRandom.hash(0, 1))
  }
}
