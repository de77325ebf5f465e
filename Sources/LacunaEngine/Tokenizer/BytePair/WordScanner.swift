/// Walks well-formed UTF-8 by character class.
struct WordScanner {
  let text: [UInt8]
  /// Where the text that is looked at ends; nothing beyond is seen, as if there were nothing.
  let end: Int

  /// The character at `position`, which is before `end`: its class and its length in bytes.
  @inline(__always)
  func character(_ position: Int) -> (scalarClass: CharacterClass, count: Int) {
    let (scalar, count) = decodeScalar(text, at: position)
    return (CharacterClass(scalar), count)
  }

  /// The first position from `position` on whose character does not satisfy `condition`, which is given the class
  /// and the first byte.
  @inline(__always)
  func skip(_ position: Int, while condition: (CharacterClass, UInt8) -> Bool) -> Int {
    var position = position
    while position < end {
      let (scalarClass, count) = character(position)
      if !condition(scalarClass, text[position]) { break }
      position += count
    }
    return position
  }

  /// The end of the run of characters that agree with the first on `condition`.
  @inline(__always)
  func runEnd(_ start: Int, _ condition: (CharacterClass, UInt8) -> Bool) -> Int {
    let wanted = condition(character(start).scalarClass, text[start])
    return skip(start) { condition($0, $1) == wanted }
  }

  /// Three ASCII digits, or everything up to the next three.
  func digitTriple(_ start: Int) -> Int {
    var digits = 0
    var position = start
    while position < end {
      digits = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) ? digits + 1 : 0
      position += 1
      if digits == 3 { return position - 3 == start ? position : position - 3 }
    }
    return end
  }

  // MARK: GPT-2

  /// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  @inline(__always)
  func gpt2WordEnd(_ start: Int) -> Int {
    if text[start] == UInt8(ascii: "'") {
      let suffix = contraction(start, ignoresCase: false)
      if suffix > 0 { return start + suffix }
    }
    var position = start
    if text[start] == UInt8(ascii: " "), start + 1 < end { position += 1 }
    switch character(position).scalarClass {
    case .letter: return skip(position) { scalarClass, _ in scalarClass == .letter }
    case .number: return skip(position) { scalarClass, _ in scalarClass == .number }
    case .punctuation, .other:
      return skip(position) { scalarClass, _ in scalarClass == .punctuation || scalarClass == .other }
    case .space: return spaceEnd(start)
    }
  }

  // MARK: Llama 3

  /// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
  @inline(__always)
  func llama3WordEnd(_ start: Int, longestNumber: Int) -> Int {
    if text[start] == UInt8(ascii: "'") {
      let suffix = contraction(start, ignoresCase: true)
      if suffix > 0 { return start + suffix }
    }
    let (first, count) = character(start)
    let second = start + count < end ? character(start + count).scalarClass : nil
    if first == .letter || second == .letter && first != .number && !isNewline(text[start]) {
      return skip(start + count) { scalarClass, _ in scalarClass == .letter }
    }
    if first == .number {
      var position = start + count
      var left = longestNumber - 1
      while left > 0, position < end, case let (scalarClass, count) = character(position), scalarClass == .number {
        position += count
        left -= 1
      }
      return position
    }
    let isSymbol = first == .punctuation || first == .other
    if isSymbol || text[start] == UInt8(ascii: " ") && (second == .punctuation || second == .other) {
      let symbols = skip(start + count) { scalarClass, _ in scalarClass == .punctuation || scalarClass == .other }
      return skip(symbols) { _, byte in isNewline(byte) }
    }
    let run = skip(start) { scalarClass, _ in scalarClass == .space }
    var position = run
    while position > start {
      if isNewline(text[position - 1]) { return position }
      position -= 1
    }
    return spaceEnd(start, run: run)
  }

  @inline(__always)
  private func isNewline(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

  // MARK: Shared

  // \s+(?!\S)|\s+ : a run of spaces, less the last one before something else, unless it is the only one.
  private func spaceEnd(_ start: Int, run: Int? = nil) -> Int {
    let run = run ?? skip(start) { scalarClass, _ in scalarClass == .space }
    if run == end { return run }
    var last = run - 1
    while text[last] & 0xC0 == 0x80 { last -= 1 }
    return last > start ? last : run
  }

  // The length of 's, 't, 're, 've, 'm, 'll or 'd; 0 if there is none.
  private func contraction(_ start: Int, ignoresCase: Bool) -> Int {
    func letter(_ offset: Int) -> UInt8 {
      guard start + offset < end else { return 0 }
      let byte = text[start + offset]
      return ignoresCase && (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
    switch letter(1) {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"): return letter(2) == UInt8(ascii: "e") ? 3 : 0
    case UInt8(ascii: "l"): return letter(2) == UInt8(ascii: "l") ? 3 : 0
    case 0xC5 where ignoresCase && letter(2) == 0xBF: return 3  // U+017F folds to s
    default: return 0
    }
  }
}
