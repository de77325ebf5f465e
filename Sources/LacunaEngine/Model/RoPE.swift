#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Rotary position embedding (Su et al. 2021) with Hugging Face's scalings: cosines and sines of one position.
///
/// Frequencies and angles are rounded to float32 as the reference implementation's are, so that long contexts agree.
struct RoPE: Sendable {
  private let headDim: Int
  private let theta: Double
  private let scaling: RoPEScaling
  private let frequencies: [Float]  // [headDim / 2]

  init(config: ModelConfig) {
    headDim = config.headDim
    theta = config.ropeTheta
    scaling = config.ropeScaling
    let plain = Self.frequencies(theta: theta, headDim: headDim)
    frequencies =
      switch scaling {
      case .none, .dynamic: plain
      case .linear(let factor): plain.map { $0 / Float(factor) }
      case .llama3(let factor, let low, let high, let original):
        plain.map { Self.llama3($0, factor: factor, low: low, high: high, original: original) }
      }
  }

  /// cosine, sine: [headDim / 2].
  func angles(position: Int, cosine: UnsafeMutablePointer<Float>, sine: UnsafeMutablePointer<Float>) {
    for i in 0..<headDim / 2 {
      let angle = Float(position) * frequency(i, position: position)
      cosine[i] = Float(cos(Double(angle)))
      sine[i] = Float(sin(Double(angle)))
    }
  }

  /// Dynamic NTK stretches the base by the sequence's length. Here that is the position's own length, so a key does
  /// not depend on what came after it, nor on how the prompt was cut.
  @inline(__always)
  private func frequency(_ i: Int, position: Int) -> Float {
    guard case .dynamic(let factor, let original) = scaling, position >= original else { return frequencies[i] }
    let stretch = factor * Double(position + 1) / Double(original) - (factor - 1)
    let base = theta * pow(stretch, Double(headDim) / Double(headDim - 2))
    return Float(1 / pow(base, Double(2 * i) / Double(headDim)))
  }

  private static func frequencies(theta: Double, headDim: Int) -> [Float] {
    (0..<headDim / 2).map { Float(1 / pow(theta, Double(2 * $0) / Double(headDim))) }
  }

  /// Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between interpolated.
  private static func llama3(
    _ frequency: Float, factor: Double, low: Double, high: Double, original: Int
  ) -> Float {
    let wavelength = 2 * Double.pi / Double(frequency)
    if wavelength > Double(original) / low { return frequency / Float(factor) }
    if wavelength < Double(original) / high { return frequency }
    let smooth = (Double(original) / wavelength - low) / (high - low)
    return Float((1 - smooth) * Double(frequency) / factor + smooth * Double(frequency))
  }
}
