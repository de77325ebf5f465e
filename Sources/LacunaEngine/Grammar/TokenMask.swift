/// A bit for each token of a vocabulary.
package struct TokenMask: Sendable, Equatable {
  package let size: Int
  package private(set) var words: [UInt64]
  package private(set) var count: Int

  package init(size: Int) { self.init(size: size, words: [UInt64](repeating: 0, count: Self.wordCount(size))) }

  package init(size: Int, tokens: some Sequence<TokenID>) {
    self.init(size: size)
    for token in tokens { insert(token) }
  }

  /// - Parameter words: a bit for each id; those past the last id are zero.
  package init(size: Int, words: [UInt64]) {
    (self.size, self.words) = (size, words)
    count = words.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  static func wordCount(_ size: Int) -> Int { (size + 63) / 64 }

  package func contains(_ token: TokenID) -> Bool {
    token >= 0 && token < size && words[Int(token) >> 6] >> UInt64(token & 63) & 1 == 1
  }

  package mutating func insert(_ token: TokenID) {
    guard token >= 0, token < size, !contains(token) else { return }
    words[Int(token) >> 6] |= 1 << UInt64(token & 63)
    count += 1
  }

  /// The tokens, ascending.
  package var tokens: [TokenID] {
    var found: [TokenID] = []
    found.reserveCapacity(count)
    for (index, word) in words.enumerated() {
      var rest = word
      while rest != 0 {
        found.append(TokenID(index * 64 + rest.trailingZeroBitCount))
        rest &= rest - 1
      }
    }
    return found
  }

  /// Sets every logit outside the mask to minus infinity. logits: [size].
  package func apply(to logits: UnsafeMutableBufferPointer<Float>) {
    for (index, word) in words.enumerated() where word != .max {
      let base = index * 64
      if base + 64 > size {
        for bit in 0..<size - base where word >> UInt64(bit) & 1 == 0 { logits[base + bit] = -.infinity }
      } else if word == 0 {
        UnsafeMutableBufferPointer(rebasing: logits[base..<base + 64]).update(repeating: -.infinity)
      } else {
        Self.apply(word, to: UnsafeMutableRawPointer(logits.baseAddress! + base))
      }
    }
  }

  /// Eight logits at a time: masks have words with many tokens, few, and about half, and a branch a token would guess badly.
  private static func apply(_ word: UInt64, to logits: UnsafeMutableRawPointer) {
    let lanes = SIMD8<UInt32>(1, 2, 4, 8, 16, 32, 64, 128)
    for eighth in 0..<8 {
      let bits = UInt32(truncatingIfNeeded: word >> UInt64(8 * eighth)) & 0xFF
      if bits == 0xFF { continue }
      let place = logits + eighth * MemoryLayout<SIMD8<Float>>.size
      var values = place.loadUnaligned(as: SIMD8<Float>.self)
      // Vectors on both sides: with a number on one the standard library goes lane by lane.
      let isMasked = lanes & SIMD8(repeating: bits) .== SIMD8<UInt32>.zero
      values.replace(with: SIMD8(repeating: -.infinity), where: isMasked)
      place.storeBytes(of: values, as: SIMD8<Float>.self)
    }
  }
}
