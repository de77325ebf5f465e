/// Text to token ids and back. Immutable; share it freely.
public protocol Tokenizer: Sendable {
  var vocabularySize: Int { get }
  var bos: TokenID? { get }
  var eos: TokenID? { get }
  /// Whether the model expects its inputs to begin with `bos`.
  var addsBOS: Bool { get }
  /// How the bytes of tokens become text.
  var textRules: TextRules { get }
  /// Equal for tokenizers that map every text to the same ids (a digest of the vocabulary and its rules).
  var fingerprint: String { get }

  /// - Parameters:
  ///   - bos: begin as the model expects: with the BOS token if `addsBOS`, and with nothing otherwise.
  ///   - special: read control tokens written out in the text ("</s>") as those tokens. Off for users' text.
  func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID]

  /// As `encode(_:bos:special:)`, where control tokens are read in some places only: what a template wrote around what
  /// people wrote.
  /// - Parameter markup: ranges of the text's UTF-8, ascending, apart and not empty. A control token counts where it
  ///   lies within one of them.
  func encode(_ text: String, bos: Bool, markup: [Range<Int>]) -> [TokenID]

  /// The bytes that the token adds to a running text; empty for control tokens unless `special`.
  /// Ids outside the vocabulary have no bytes.
  func bytes(of token: TokenID, special: Bool) -> [UInt8]

  /// The token's printable name, "<0x0A>" or "</s>" included; empty for ids outside the vocabulary.
  func piece(_ token: TokenID) -> String

  func isControl(_ token: TokenID) -> Bool

  /// Whole text of a list of ids, control tokens left out, as Hugging Face's
  /// `decode(skip_special_tokens=True, clean_up_tokenization_spaces=False)` gives it; ill-formed UTF-8 is repaired
  /// by `textRules`.
  func decode(_ tokens: [TokenID]) -> String
}

/// How a token stream's bytes become text.
public struct TextRules: Sendable, Hashable {
  /// Whether a text's first space is the tokenizer's own (SentencePiece's dummy prefix) and is dropped.
  public var stripsLeadingSpace: Bool
  /// Whether every byte of an ill-formed sequence becomes a U+FFFD of its own, as in SentencePiece, or the sequence
  /// becomes one, as Unicode recommends (chapter 3, "U+FFFD Substitution of Maximal Subparts").
  public var repairsEachByte: Bool

  public init(stripsLeadingSpace: Bool = false, repairsEachByte: Bool = false) {
    self.stripsLeadingSpace = stripsLeadingSpace
    self.repairsEachByte = repairsEachByte
  }
}

extension Tokenizer {
  public var addsBOS: Bool { bos != nil }
  public var textRules: TextRules { TextRules() }

  public func encode(_ text: String) -> [TokenID] { encode(text, bos: false, special: false) }

  /// Cuts the text at the ranges' ends: right for tokenizers whose tokens do not depend on what stands beside them.
  public func encode(_ text: String, bos: Bool, markup: [Range<Int>]) -> [TokenID] {
    let bytes = Array(text.utf8)
    var ids = encode("", bos: bos, special: false)
    var position = 0
    for range in markup {
      ids += encode(String(decoding: bytes[position..<range.lowerBound], as: UTF8.self))
      ids += encode(String(decoding: bytes[range], as: UTF8.self), bos: false, special: true)
      position = range.upperBound
    }
    return ids + encode(String(decoding: bytes[position...], as: UTF8.self))
  }

  public func decode(_ tokens: [TokenID]) -> String {
    var decoder = StreamDecoder(tokenizer: self)
    var text = ""
    for token in tokens { text += decoder.append(token) }
    return text + decoder.flush()
  }
}
