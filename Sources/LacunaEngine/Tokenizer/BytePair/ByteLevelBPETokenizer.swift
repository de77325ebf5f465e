/// GPT-2's scheme: text cut into words by a pre-tokenizer, their bytes merged pair by pair (Llama 3, SmolLM, GPT-2).
public final class ByteLevelBPETokenizer: Tokenizer {
  /// What the vocabulary leaves open.
  package struct Rules: Sendable, Hashable {
    package var preTokenizer: PreTokenizer
    /// Whether a text that does not begin with a space gets one.
    package var addsPrefixSpace: Bool
    /// Words that are tokens as a whole skip the merges.
    package var ignoresMerges: Bool

    package init(preTokenizer: PreTokenizer, addsPrefixSpace: Bool = false, ignoresMerges: Bool = false) {
      self.preTokenizer = preTokenizer
      self.addsPrefixSpace = addsPrefixSpace
      self.ignoresMerges = ignoresMerges
    }
  }

  public var vocabularySize: Int { tokens.count }
  public let bos: TokenID?
  public let eos: TokenID?
  public let addsBOS: Bool
  public let fingerprint: String
  package let rules: Rules
  // In the byte alphabet, added tokens as they are; empty where an id has no token.
  private let tokens: [String]
  private let vocabulary: ByteLevelVocabulary
  private let added: AddedTokenSplitter
  private let addedByID: [TokenID: AddedToken]

  /// - Parameters:
  ///   - tokens: by id, in GPT-2's byte alphabet; "" for an id that has none or only an added token.
  ///   - merges: pairs of tokens, the first to merge first.
  ///   - added: tokens that are matched literally, their content as it is.
  ///   - unknown: what stands for a byte without a token; nil drops such bytes.
  ///   - addsBOS: whether the checkpoint's template begins a sequence with `bos`.
  ///   - file: what errors name.
  /// - Throws: `malformed`, naming the token or merge.
  package init(
    tokens: [String], merges: [(left: String, right: String)], added: [AddedToken], rules: Rules, bos: TokenID?,
    eos: TokenID?, unknown: TokenID? = nil, addsBOS: Bool, file: String
  ) throws(LacunaError) {
    var byID: [TokenID: AddedToken] = [:]
    var tokens = tokens
    for token in added {
      guard let index = Int(exactly: token.id), index >= 0 else {
        throw LacunaError(.malformed, file: file, field: "added token", expected: "an id from 0", found: "\(token.id)")
      }
      byID[token.id] = token
      if index >= tokens.count { tokens += Array(repeating: "", count: index + 1 - tokens.count) }
      tokens[index] = token.content
    }
    for (name, id) in [("bos", bos), ("eos", eos), ("unk", unknown)] {
      if let id, id < 0 || Int(id) >= tokens.count {
        throw LacunaError(.malformed, file: file, field: name, expected: "an id below \(tokens.count)", found: "\(id)")
      }
    }
    vocabulary = try ByteLevelVocabulary(tokens: tokens, merges: merges, added: byID, unknown: unknown, file: file)
    let sorted = byID.values.sorted { $0.id < $1.id }
    self.added = try AddedTokenSplitter(sorted, file: file)
    self.tokens = tokens
    addedByID = byID
    self.rules = rules
    self.bos = bos
    self.eos = eos
    self.addsBOS = addsBOS && bos != nil
    fingerprint = Self.digest(tokens, merges, sorted, rules, bos: addsBOS ? bos : nil, unknown: unknown)
  }

  public func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] {
    encode(text, bos: bos, markup: special ? [0..<text.utf8.count] : [])
  }

  public func encode(_ text: String, bos: Bool, markup: [Range<Int>]) -> [TokenID] {
    let source = Array(text.utf8)
    var encoder = ByteLevelEncoder(vocabulary, rules: rules, textCount: source.count)
    if bos, addsBOS, let id = self.bos { encoder.append(id) }
    for segment in added.segments(of: source, markup: markup) {
      if let id = segment.id { encoder.append(id) } else { encoder.encode(source, segment.range) }
    }
    return encoder.ids
  }

  public func bytes(of token: TokenID, special: Bool) -> [UInt8] {
    if let token = addedByID[token] { return token.special && !special ? [] : Array(token.content.utf8) }
    guard let index = Int(exactly: token), tokens.indices.contains(index) else { return [] }
    return ByteAlphabet.bytes(of: tokens[index]) ?? Array(tokens[index].utf8)
  }

  public func piece(_ token: TokenID) -> String {
    guard let index = Int(exactly: token), tokens.indices.contains(index) else { return "" }
    return tokens[index]
  }

  public func isControl(_ token: TokenID) -> Bool { addedByID[token]?.special ?? false }

  private static func digest(
    _ tokens: [String], _ merges: [(left: String, right: String)], _ added: [AddedToken], _ rules: Rules,
    bos: TokenID?, unknown: TokenID?
  ) -> String {
    var digest = TokenizerDigest(kind: "byte-level")
    for token in tokens { digest.add(Array(token.utf8)) }
    for merge in merges {
      digest.add(Array(merge.left.utf8))
      digest.add(Array(merge.right.utf8))
    }
    digest.add(added, bos: bos)
    digest.add(unknown ?? -1)
    digest.add(Array("\(rules.preTokenizer.steps)".utf8))
    digest.add((rules.addsPrefixSpace ? 1 : 0) + (rules.ignoresMerges ? 2 : 0))
    return digest.finish()
  }
}
