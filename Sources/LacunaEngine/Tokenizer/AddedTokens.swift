/// A token that is matched literally, before a text is cut into words.
package struct AddedToken: Sendable, Hashable {
  package var id: TokenID
  package var content: String
  /// A control token: matched only where the caller asks for it, and left out of decoded text.
  package var special: Bool
  /// Takes white space on its left, or right, along.
  package var stripsLeft: Bool
  package var stripsRight: Bool
  /// Does not match inside a word.
  package var singleWord: Bool

  package init(
    id: TokenID, content: String, special: Bool, stripsLeft: Bool = false, stripsRight: Bool = false,
    singleWord: Bool = false
  ) {
    self.id = id
    self.content = content
    self.special = special
    self.stripsLeft = stripsLeft
    self.stripsRight = stripsRight
    self.singleWord = singleWord
  }
}

/// Cuts text at added tokens.
struct AddedTokenSplitter: Sendable {
  /// A stretch of the text: ordinary text (`id` nil) or an added token.
  struct Segment {
    var range: Range<Int>
    var id: TokenID?
  }

  private var always = LiteralMatcher()
  private var withSpecial = LiteralMatcher()
  private var tokens: [TokenID: AddedToken] = [:]

  /// - Throws: `unsupported` for a token longer than `LiteralMatcher.longestLiteral`.
  init(_ added: [AddedToken], file: String) throws(LacunaError) {
    for token in added {
      let content = Array(token.content.utf8)
      guard content.count <= LiteralMatcher.longestLiteral else {
        throw LacunaError(
          .unsupported, file: file, field: "added token \(token.id)",
          expected: "at most \(LiteralMatcher.longestLiteral) bytes", found: "\(content.count)")
      }
      tokens[token.id] = token
      withSpecial.insert(content, id: token.id)
      if !token.special { always.insert(content, id: token.id) }
    }
  }

  /// The segments of the text in order, without empty ones.
  /// - Parameter markup: where control tokens count, ascending and apart.
  func segments(of text: [UInt8], markup: [Range<Int>]) -> [Segment] {
    if text.isEmpty { return [] }
    if withSpecial.isEmpty || (markup.isEmpty && always.isEmpty) { return [Segment(range: 0..<text.count, id: nil)] }
    var segments: [Segment] = []
    var places = markup[...]
    var start = 0
    var position = 0
    while position < text.count {
      while let place = places.first, place.upperBound <= position { places.removeFirst() }
      var found: (id: TokenID, count: Int)?
      if let place = places.first, place.contains(position) {
        found = withSpecial.match(text, at: position, end: place.upperBound)
      }
      guard let match = found ?? always.match(text, at: position, end: text.count), let token = tokens[match.id] else {
        position += 1
        continue
      }
      var range = position..<position + match.count
      if token.singleWord, !Self.standsAlone(range, in: text) {
        position += 1
        continue
      }
      if token.stripsLeft {
        range = Self.spaceStart(before: range.lowerBound, notBefore: start, in: text)..<range.upperBound
      }
      if token.stripsRight { range = range.lowerBound..<Self.spaceEnd(from: range.upperBound, in: text) }
      if range.lowerBound > start { segments.append(Segment(range: start..<range.lowerBound, id: nil)) }
      segments.append(Segment(range: range, id: token.id))
      start = range.upperBound
      position = start
    }
    if start < text.count { segments.append(Segment(range: start..<text.count, id: nil)) }
    return segments
  }

  private static func standsAlone(_ range: Range<Int>, in text: [UInt8]) -> Bool {
    let left =
      range.lowerBound == 0 ? nil : decodeScalar(text, at: scalarStart(before: range.lowerBound, in: text)).scalar
    let right = range.upperBound == text.count ? nil : decodeScalar(text, at: range.upperBound).scalar
    return !(left.map(CharacterClass.isWord) ?? false) && !(right.map(CharacterClass.isWord) ?? false)
  }

  private static func spaceStart(before end: Int, notBefore limit: Int, in text: [UInt8]) -> Int {
    var position = end
    while position > limit {
      let start = scalarStart(before: position, in: text)
      guard CharacterClass(decodeScalar(text, at: start).scalar) == .space else { break }
      position = start
    }
    return position
  }

  private static func spaceEnd(from start: Int, in text: [UInt8]) -> Int {
    var position = start
    while position < text.count {
      let (scalar, count) = decodeScalar(text, at: position)
      guard CharacterClass(scalar) == .space else { break }
      position += count
    }
    return position
  }

  private static func scalarStart(before position: Int, in text: [UInt8]) -> Int {
    var start = position - 1
    while text[start] & 0xC0 == 0x80 { start -= 1 }
    return start
  }
}
