/// One `encode` under way: the normalized text, the ids so far, and the work space between them.
struct SentencePieceEncoder {
  private let vocabulary: SentencePieceVocabulary
  private let rules: SentencePieceRules
  private(set) var ids: [TokenID] = []
  // What pieces are matched against: the texts of all segments, one after the other.
  private var text: [UInt8] = []
  private var run = SymbolRun()
  private var cache: WordCache

  /// - Parameter textCount: the length of everything that will be encoded, in bytes.
  init(_ vocabulary: SentencePieceVocabulary, rules: SentencePieceRules, textCount: Int) {
    self.vocabulary = vocabulary
    self.rules = rules
    cache = WordCache(textCount: textCount)
    run.recordsParts = vocabulary.reachesUnused
    ids.reserveCapacity(textCount / 3 + 4)
    text.reserveCapacity(textCount + textCount / 2 + 4)
  }

  mutating func append(_ id: TokenID) { ids.append(id) }

  /// Encodes text in which no control tokens are looked for.
  /// - Parameter isFirst: whether nothing precedes it in the user's text.
  mutating func encode(_ source: [UInt8], _ range: Range<Int>, isFirst: Bool) {
    let textStart = text.count
    let idStart = ids.count
    normalize(source, range, addsPrefix: rules.dummyPrefix != .never && (isFirst || rules.prefixesEverySegment))
    encodeText(textStart..<text.count)
    if rules.fusesUnknown, !rules.byteFallback { fuseUnknown(from: idStart) }
  }

  // MARK: Normalization

  // As sentencepiece's normalizer.cc with the identity map: user-defined pieces pass untouched.
  private mutating func normalize(_ source: [UInt8], _ range: Range<Int>, addsPrefix: Bool) {
    let space = UInt8(ascii: " ")
    let start = text.count
    var position = range.lowerBound
    if rules.removesExtraSpaces {
      while position < range.upperBound, source[position] == space { position += 1 }
    }
    if position == range.upperBound { return }
    let beginsWithSpace =
      source[position] == space || source[position..<range.upperBound].starts(with: SentencePieceVocabulary.space)
    if addsPrefix, rules.dummyPrefix == .always || !beginsWithSpace { appendSpace() }

    let matchesPieces = !vocabulary.userDefined.isEmpty
    var afterSpace = rules.removesExtraSpaces
    while position < range.upperBound {
      if matchesPieces, let match = vocabulary.userDefined.match(source, at: position, end: range.upperBound) {
        appendEscaped(source, position..<position + match.count, afterSpace: afterSpace)
        position += match.count
        afterSpace = rules.removesExtraSpaces && source[position - 1] == space
        continue
      }
      let byte = source[position]
      if byte != space {
        text.append(byte)
        afterSpace = false
      } else {
        if !afterSpace { appendSpace() }
        afterSpace = rules.removesExtraSpaces
      }
      position += 1
    }
    if rules.removesExtraSpaces { dropTrailingSpaces(downTo: start) }
  }

  private mutating func appendSpace() {
    if rules.escapesSpaces {
      text.append(contentsOf: SentencePieceVocabulary.space)
    } else {
      text.append(UInt8(ascii: " "))
    }
  }

  private mutating func appendEscaped(_ source: [UInt8], _ range: Range<Int>, afterSpace: Bool) {
    var skipsSpaces = afterSpace
    for position in range {
      if source[position] != UInt8(ascii: " ") {
        text.append(source[position])
        skipsSpaces = false
      } else if !skipsSpaces {
        appendSpace()
      }
    }
  }

  private mutating func dropTrailingSpaces(downTo start: Int) {
    let space = rules.escapesSpaces ? SentencePieceVocabulary.space : [UInt8(ascii: " ")]
    while text.count - start >= space.count, text.suffix(space.count).elementsEqual(space) {
      text.removeLast(space.count)
    }
  }

  // MARK: Pieces

  private mutating func encodeText(_ range: Range<Int>) {
    guard !vocabulary.userDefined.isEmpty else { return encodeWords(range) }
    var start = range.lowerBound
    var position = start
    while position < range.upperBound {
      if let match = vocabulary.userDefined.match(text, at: position, end: range.upperBound) {
        encodeWords(start..<position)
        ids.append(match.id)
        position += match.count
        start = position
      } else {
        position += 1
      }
    }
    encodeWords(start..<range.upperBound)
  }

  // Cuts where nothing can merge across.
  private mutating func encodeWords(_ range: Range<Int>) {
    if vocabulary.reachesUnused { return encodeWord(range) }
    var start = range.lowerBound
    while start < range.upperBound {
      let end = wordEnd(from: start, limit: range.upperBound)
      encodeCached(start..<end)
      start = end
    }
  }

  @inline(__always)
  private func wordEnd(from start: Int, limit: Int) -> Int {
    var position = start
    var afterSpace = true
    while position < limit {
      let byte = text[position]
      if byte == 0xE2, position + 2 < limit, text[position + 1] == 0x96, text[position + 2] == 0x81 {
        if position > start {
          if rules.splitsAtEverySpace { return position }
          if !afterSpace, !vocabulary.gluesToSpace[Int(text[position - 1])] { return position }
        }
        afterSpace = true
        position += 3
      } else {
        afterSpace = false
        position += 1
      }
    }
    return limit
  }

  @inline(__always)
  private mutating func encodeCached(_ word: Range<Int>) {
    guard word.count <= WordCache.longestWord else { return encodeWord(word) }
    let hash = WordCache.hash(text, word)
    if let known = cache.ids(of: word, hash: hash, in: text) {
      for index in known { ids.append(ids[index]) }
      return
    }
    let start = ids.count
    encodeWord(word)
    cache.store(word, hash: hash, ids: start..<ids.count)
  }

  private mutating func encodeWord(_ word: Range<Int>) {
    run.removeAll()
    var position = word.lowerBound
    while position < word.upperBound {
      let (scalar, count) = decodeScalar(text, at: position)
      run.append(vocabulary.symbols[scalar], start: position - word.lowerBound)
      position += count
    }
    run.merge(by: vocabulary.merges)
    for index in 0..<run.count {
      let symbol = run.symbols[index]
      let start = word.lowerBound + Int(run.starts[index])
      let end = index + 1 < run.count ? word.lowerBound + Int(run.starts[index + 1]) : word.upperBound
      if symbol < 0 || symbol >= vocabulary.pieces.count {
        appendUnknown(start..<end)
      } else if vocabulary.reachesUnused, vocabulary.types[Int(symbol)] == .unused {
        appendUsed(symbol)
      } else {
        ids.append(symbol)
      }
    }
  }

  private mutating func appendUnknown(_ range: Range<Int>) {
    if rules.byteFallback {
      for position in range { ids.append(vocabulary.bytePieces[Int(text[position])]) }
    } else if let unknown = vocabulary.unknown {
      ids.append(unknown)
    }
  }

  // An unused piece's parts, until all of them are in use.
  private mutating func appendUsed(_ symbol: SymbolID) {
    var stack = [symbol]
    while let symbol = stack.popLast() {
      if symbol >= vocabulary.pieces.count {
        let start = text.count
        text.append(contentsOf: vocabulary.characters[Int(symbol) - vocabulary.pieces.count])
        appendUnknown(start..<text.count)
        text.removeLast(text.count - start)
      } else if vocabulary.types[Int(symbol)] == .unused, let parts = run.parts[symbol] {
        stack.append(parts.right)
        stack.append(parts.left)
      } else {
        ids.append(symbol)
      }
    }
  }

  private mutating func fuseUnknown(from start: Int) {
    guard let unknown = vocabulary.unknown else { return }
    var kept = start
    for index in start..<ids.count {
      if ids[index] == unknown, kept > start, ids[kept - 1] == unknown { continue }
      ids[kept] = ids[index]
      kept += 1
    }
    guard kept < ids.count else { return }
    ids.removeLast(ids.count - kept)
    // Its words lie elsewhere now.
    cache.removeAll()
  }
}
