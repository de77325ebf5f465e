import CKernels
import LacunaTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// One instruction set that this machine can run.
struct Instructions: Sendable, CustomTestStringConvertible {
  let isa: ck_isa

  var table: ck_table { ck_table_for(isa).pointee }
  var name: String { String(cString: table.name) }
  var testDescription: String { name }

  /// Whether products with weights of a type, and attention over pages of it, are held to a bound instead of to equality.
  func roundsDifferently(_ dtype: ck_dtype) -> Bool { sumsPairs(dtype) || sumsHalves(dtype) }

  private func sumsPairs(_ dtype: ck_dtype) -> Bool {
    (isa == CK_ISA_AVX512_BF16 || isa == CK_ISA_AMX) && (dtype == CK_BF16 || dtype == CK_E4M3)
  }
  /// Whether they are of half-precision numbers.
  func sumsHalves(_ dtype: ck_dtype) -> Bool { isa == CK_ISA_AVX512_FP16 && dtype == CK_E4M3 }

  /// What a product multiplies in place of tokens of `cols` activations each.
  func rounded(_ x: [Float], cols: Int, for dtype: ck_dtype) -> [Float] {
    guard dtype == CK_BF16 || dtype == CK_E4M3 else { return x }
    guard sumsHalves(dtype), cols > 0 else { return x.map(roundedToBF16) }
    return stride(from: 0, to: x.count, by: cols).flatMap { roundedToHalf(Array(x[$0..<$0 + cols])) }
  }

  static let scalar = Instructions(isa: CK_ISA_SCALAR)
  static let available = [
    CK_ISA_SCALAR, CK_ISA_NEON, CK_ISA_AVX2, CK_ISA_AVX512, CK_ISA_AVX512_BF16, CK_ISA_AVX512_FP16, CK_ISA_AMX,
  ].filter { ck_table_for($0) != nil }.map(Instructions.init)
  static let vector = available.filter { $0.isa != CK_ISA_SCALAR }
}

extension ck_dtype {
  static let all = [CK_F32, CK_F16, CK_BF16, CK_E4M3]
  var byteCount: Int { self == CK_F32 ? 4 : self == CK_E4M3 ? 1 : 2 }
  var name: String { self == CK_F32 ? "f32" : self == CK_F16 ? "f16" : self == CK_BF16 ? "bf16" : "e4m3" }
}

/// SplitMix64 (Steele, Lea & Flood 2014).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  mutating func float(_ range: ClosedRange<Float>) -> Float { Float.random(in: range, using: &self) }
}

/// What a test fills its inputs with.
enum Fill: CaseIterable, Sendable {
  case zeros, extremes, subnormals, random, tiny

  /// An activation, a norm's weight, a logit.
  func value(_ generator: inout SeededGenerator) -> Float {
    let sign: Float = Bool.random(using: &generator) ? 1 : -1
    switch self {
    case .zeros: return sign * 0
    case .extremes: return sign * (Bool.random(using: &generator) ? 448 : 60_000)
    case .subnormals: return sign * Float(bitPattern: UInt32.random(in: 1..<0x80_0000, using: &generator))
    case .random: return generator.float(-4...4)
    case .tiny: return sign * Float.leastNormalMagnitude * generator.float(1...1000)
    }
  }

  func values(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in value(&generator) }
  }

  /// The bits of one weight.
  func weight(_ dtype: ck_dtype, _ generator: inout SeededGenerator) -> UInt32 {
    let sign: UInt32 = Bool.random(using: &generator) ? 1 : 0
    switch dtype {
    case CK_E4M3:
      switch self {
      case .zeros: return sign << 7
      case .extremes: return sign << 7 | 0x7E
      case .subnormals, .tiny: return sign << 7 | UInt32.random(in: 1...7, using: &generator)
      case .random: return sign << 7 | UInt32.random(in: 0...0x7E, using: &generator)
      }
    case CK_F16:
      switch self {
      case .zeros: return sign << 15
      case .extremes: return sign << 15 | 0x7BFF
      case .subnormals, .tiny: return sign << 15 | UInt32.random(in: 1...0x3FF, using: &generator)
      case .random: return sign << 15 | UInt32.random(in: 0...0x4400, using: &generator)
      }
    default:
      let bits = value(&generator).bitPattern
      return dtype == CK_BF16 ? bits >> 16 : bits
    }
  }
}

// MARK: Formats, written from their definitions and not from the C code

func e4m3(_ code: UInt8) -> Double {
  let exponent = Int(code >> 3 & 15), fraction = Double(code & 7) / 8
  if code & 0x7F == 0x7F { return .nan }
  let magnitude = exponent == 0 ? scalbn(fraction, -6) : scalbn(1 + fraction, exponent - 7)
  return code & 0x80 == 0 ? magnitude : -magnitude
}

func bf16(_ bits: UInt16) -> Double { Double(Float(bitPattern: UInt32(bits) << 16)) }

func f16(_ bits: UInt16) -> Double {
  let exponent = Int(bits >> 10 & 31), fraction = Double(bits & 0x3FF) / 1024
  let magnitude: Double =
    exponent == 31
    ? (fraction == 0 ? .infinity : .nan) : exponent == 0 ? scalbn(fraction, -14) : scalbn(1 + fraction, exponent - 15)
  return bits & 0x8000 == 0 ? magnitude : -magnitude
}

/// To the nearest of the two neighbours, found by comparing distances.
func roundedToBF16(_ x: Float) -> Float {
  if x.isNaN || x.isInfinite { return x }
  let down = Float(bitPattern: x.bitPattern & 0xFFFF_0000)
  let up = Float(bitPattern: (x.bitPattern & 0xFFFF_0000) &+ 0x1_0000)
  let upValue = up.isInfinite ? Double(sign: up.sign, exponent: 128, significand: 1) : Double(up)
  let toDown = abs(Double(x) - Double(down)), toUp = abs(upValue - Double(x))
  if toDown != toUp { return toDown < toUp ? down : up }
  return (down.bitPattern >> 16) & 1 == 0 ? down : up
}

/// The exponent of the power of two that `roundedToHalf` divides a token by.
func halfExponent(_ token: [Float]) -> Int {
  let largest = token.filter(\.isFinite).map(\.magnitude).max() ?? 0
  return max(largest.isNormal ? Int(largest.exponent) : -127, -117) - 5
}

/// To half precision, after a division by the power of two that brings the largest to 32..<64.
func roundedToHalf(_ token: [Float]) -> [Float] {
  let unit = scalbn(1.0, halfExponent(token))
  return token.map { x in
    let scaled = Double(x) / unit
    guard scaled.isFinite, scaled != 0 else { return x }
    // 11 bits, or what a subnormal number has left.
    let step = scalbn(1.0, max(Int(scaled.exponent), -14) - 10)
    return Float((scaled / step).rounded(.toNearestOrEven) * step * unit)
  }
}

// MARK: Comparing

func sameBits(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) }

func hex(_ x: Float) -> String { String(x.bitPattern, radix: 16) }

/// Records one issue for the first element that differs.
func expectEqual(_ got: [Float], _ expected: [Float], _ context: @autoclosure () -> String) {
  guard got.count == expected.count else {
    Issue.record("\(context()): \(got.count) values, expected \(expected.count)")
    return
  }
  for i in got.indices where !sameBits(got[i], expected[i]) {
    Issue.record(
      "\(context()) index \(i): got \(got[i]) (\(hex(got[i]))), expected \(expected[i]) (\(hex(expected[i])))")
    return
  }
}

/// Records one issue for the first element that is farther from the exact value than its bound.
func expectNear(_ got: [Float], _ exact: [Double], within bound: [Double], _ context: @autoclosure () -> String) {
  for i in got.indices where !(abs(Double(got[i]) - exact[i]) <= bound[i]) {
    if got[i].isNaN && exact[i].isNaN { continue }
    Issue.record("\(context()) index \(i): got \(got[i]) (\(hex(got[i]))), exact \(exact[i]), bound \(bound[i])")
    return
  }
}

let shapes = [0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 63, 64, 65, 72, 127, 128, 129, 200, 257, 1000]
