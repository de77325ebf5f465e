/// One `encode` under way: the text, the ids so far, and the work space between them.
struct ByteLevelEncoder {
  private let vocabulary: ByteLevelVocabulary
  private let rules: ByteLevelBPETokenizer.Rules
  private(set) var ids: [TokenID] = []
  private var run = SymbolRun()
  private var cache: WordCache

  /// - Parameter textCount: the length of everything that will be encoded, in bytes.
  init(_ vocabulary: ByteLevelVocabulary, rules: ByteLevelBPETokenizer.Rules, textCount: Int) {
    self.vocabulary = vocabulary
    self.rules = rules
    cache = WordCache(textCount: textCount)
    ids.reserveCapacity(textCount / 3 + 4)
  }

  mutating func append(_ id: TokenID) { ids.append(id) }

  /// Encodes text in which no added tokens are looked for. All calls pass the same text.
  mutating func encode(_ text: [UInt8], _ range: Range<Int>) {
    guard rules.addsPrefixSpace, text[range.lowerBound] != UInt8(ascii: " ") else {
      return rules.preTokenizer.forEachWord(in: text, range) { encodeCached(text, $0) }
    }
    // The cache refers to `text`, so it is left alone here.
    let prefixed = [UInt8(ascii: " ")] + text[range]
    rules.preTokenizer.forEachWord(in: prefixed, 0..<prefixed.count) { encodeWord(prefixed, $0) }
  }

  @inline(__always)
  private mutating func encodeCached(_ text: [UInt8], _ word: Range<Int>) {
    guard word.count <= WordCache.longestWord else { return encodeWord(text, word) }
    let hash = WordCache.hash(text, word)
    if let known = cache.ids(of: word, hash: hash, in: text) {
      for index in known { ids.append(ids[index]) }
      return
    }
    let start = ids.count
    encodeWord(text, word)
    cache.store(word, hash: hash, ids: start..<ids.count)
  }

  private mutating func encodeWord(_ text: [UInt8], _ word: Range<Int>) {
    if rules.ignoresMerges, let id = vocabulary.index[text[word]] {
      ids.append(id)
      return
    }
    run.removeAll()
    for position in word {
      let symbol = vocabulary.symbolOfByte[Int(text[position])]
      if symbol >= 0 {
        run.append(symbol, start: position - word.lowerBound)
      } else if let unknown = vocabulary.unknown {
        run.append(unknown, start: position - word.lowerBound)
      }
    }
    run.merge(by: vocabulary.merges)
    ids.append(contentsOf: run.symbols)
  }
}
