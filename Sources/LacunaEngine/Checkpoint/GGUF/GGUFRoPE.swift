#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a GGUF file says that RoPE is stretched.
///
/// llama.cpp stores Llama 3.1's scaling not by its four parameters but as the factors they give, one a frequency
/// (`rope_freqs.weight`). The parameters are found again by trying the published ones; a table that they do not
/// reproduce is refused.
enum GGUFRoPE {
  static func scaling(
    _ file: GGUFFile, theta: Double, headDim: Int, context: Int
  ) throws(LacunaError) -> RoPEScaling {
    let stated = try statedScaling(file)
    guard let table = file.tensors.first(where: { $0.name == "rope_freqs.weight" }) else { return stated }
    guard stated == .none else {
      throw LacunaError(
        .unsupported, file: file.path, field: "rope_freqs.weight", expected: "no other RoPE scaling beside it",
        found: "\(stated)")
    }
    let factors = try factors(file, table, count: headDim / 2)
    if factors.allSatisfy({ $0 == 1 }) { return .none }
    let originals = [
      8192, try file.integer("llama.rope.scaling.original_context_length", in: ModelConfig.Limit.positions) ?? 8192,
      context,
    ]
    // The slowest frequency is always stretched by the whole factor.
    let factor = Double(factors[factors.count - 1])
    let range = ModelConfig.Limit.ropeFactor
    guard range.contains(factor) else {
      throw file.mismatch(
        table.name, "factors from \(range.lowerBound) to \(range.upperBound)", "\(factor)")
    }
    for original in originals {
      let expected = llama3Factors(
        theta: theta, headDim: headDim, factor: factor, low: 1, high: 4, original: Double(original))
      if zip(expected, factors).allSatisfy({ abs($0 / Double($1) - 1) < 1e-4 }) {
        return .llama3(
          factor: factor, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: original)
      }
    }
    throw LacunaError(
      .unsupported, file: file.path, field: "rope_freqs.weight",
      expected: "the factors of Llama 3's scaling (low 1, high 4, original context of \(Set(originals).sorted()))",
      found: "others")
  }

  private static func statedScaling(_ file: GGUFFile) throws(LacunaError) -> RoPEScaling {
    let type = try file.string("llama.rope.scaling.type") ?? "none"
    let range = ModelConfig.Limit.ropeFactor
    let older = try file.real("llama.rope.scale_linear", in: range)
    let factor = try file.real("llama.rope.scaling.factor", in: range) ?? older ?? 1
    switch type {
    case "none" where older == nil: return .none
    case "none", "linear": return factor == 1 ? .none : .linear(factor: factor)
    default:
      throw LacunaError(
        .unsupported, file: file.path, field: "llama.rope.scaling.type", expected: "none or linear", found: type.clipped
      )
    }
  }

  private static func factors(
    _ file: GGUFFile, _ table: GGUFTensor, count: Int
  ) throws(LacunaError) -> [Float] {
    guard table.dimensions == [count], table.type.encoding == .f32 else {
      throw file.mismatch(
        table.name, "\(count) values of F32", "\(table.type.name) of \(table.dimensions)")
    }
    let factors = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let out = buffer.baseAddress, let data = file.bytes.baseAddress {
        GGUFBlocks.decode(.f32, from: data + table.byteOffset, count: count, into: out)
        initialized = count
      }
    }
    guard factors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw file.mismatch(table.name, "finite factors above 0", "others")
    }
    return factors
  }

  /// By how much Llama 3.1 divides each frequency: 1 for wavelengths below original / high, `factor` above
  /// original / low, smooth in between.
  static func llama3Factors(
    theta: Double, headDim: Int, factor: Double, low: Double, high: Double, original: Double
  ) -> [Double] {
    (0..<headDim / 2).map { index in
      let wavelength = 2 * Double.pi * pow(theta, Double(2 * index) / Double(headDim))
      if wavelength < original / high { return 1 }
      if wavelength > original / low { return factor }
      let smooth = (original / wavelength - low) / (high - low)
      return 1 / ((1 - smooth) / factor + smooth)
    }
  }
}
