/// The bytes of a vocabulary's tokens as a prefix tree, laid out for one walk from left to right.
struct TokenTrie: Sendable {
  /// In preorder. `end` is behind the last node below.
  private let bytes: [UInt8]
  private let depths: [UInt16]
  private let ends: [Int32]
  /// Tokens that end at a node: the first, and after each the next with the same bytes; -1 for none.
  private let firstTokens: [Int32]
  private let nextTokens: [Int32]
  let vocabularySize: Int
  /// Bytes of the longest token.
  let reach: Int

  init(_ tokenizer: any Tokenizer, vocabularySize: Int) {
    self.vocabularySize = vocabularySize
    var tokens: [(bytes: [UInt8], id: Int32)] = []
    for id in 0..<Int32(clamping: vocabularySize) {
      let bytes = tokenizer.bytes(of: id, special: false)
      if !bytes.isEmpty, bytes.count < 1 << 15 { tokens.append((bytes, id)) }
    }
    tokens.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) || ($0.bytes == $1.bytes && $0.id < $1.id) }
    var bytes: [UInt8] = []
    var depths: [UInt16] = []
    var ends: [Int32] = []
    var firstTokens: [Int32] = []
    var nextTokens = [Int32](repeating: -1, count: vocabularySize)
    var path: [Int] = []
    var previous: (bytes: [UInt8], id: Int32)?
    for token in tokens {
      let shared = previous.map { zip($0.bytes, token.bytes).prefix { $0 == $1 }.count } ?? 0
      if let previous, previous.bytes == token.bytes {
        nextTokens[Int(previous.id)] = token.id
      } else {
        while path.count > shared { ends[path.removeLast()] = Int32(bytes.count) }
        for depth in shared..<token.bytes.count {
          path.append(bytes.count)
          bytes.append(token.bytes[depth])
          depths.append(UInt16(depth))
          ends.append(0)
          firstTokens.append(-1)
        }
        firstTokens[path[path.count - 1]] = token.id
      }
      previous = token
    }
    while let node = path.popLast() { ends[node] = Int32(bytes.count) }
    self.bytes = bytes
    self.depths = depths
    self.ends = ends
    self.firstTokens = firstTokens
    self.nextTokens = nextTokens
    reach = tokens.map(\.bytes.count).max() ?? 0
  }

  /// Adds to `mask` every token whose bytes the automaton can read from `state`.
  func allowed(
    _ automaton: GrammarAutomaton, from state: GrammarAutomaton.State, into mask: inout TokenMask
  ) throws(LacunaError) {
    var states = [GrammarAutomaton.State](repeating: GrammarAutomaton.dead, count: reach + 1)
    states[0] = state
    var node = 0
    while node < bytes.count {
      let depth = Int(depths[node])
      let next = try automaton.next(states[depth], bytes[node])
      guard next != GrammarAutomaton.dead else {
        node = Int(ends[node])
        continue
      }
      states[depth + 1] = next
      var token = firstTokens[node]
      while token >= 0 {
        mask.insert(token)
        token = nextTokens[Int(token)]
      }
      node += 1
    }
  }
}

/// A bit for each token of a vocabulary.
package struct TokenMask: Sendable, Equatable {
  package let size: Int
  package private(set) var words: [UInt64]
  package private(set) var count = 0

  package init(size: Int) {
    self.size = size
    words = [UInt64](repeating: 0, count: (size + 63) / 64)
  }

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
      let end = min(64, size - base)
      if word == 0 {
        for bit in 0..<end { logits[base + bit] = -.infinity }
      } else if word.nonzeroBitCount > 48 {
        // Few are masked: inside a JSON string nearly every word is like this.
        var masked = end < 64 ? ~word & (1 << UInt64(end) - 1) : ~word
        while masked != 0 {
          logits[base + masked.trailingZeroBitCount] = -.infinity
          masked &= masked - 1
        }
      } else {
        for bit in 0..<end {
          logits[base + bit] = word >> UInt64(bit) & 1 == 0 ? -.infinity : logits[base + bit]
        }
      }
    }
  }
}
