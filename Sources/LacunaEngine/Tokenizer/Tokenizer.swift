/// Text to token ids and back. Immutable; share it freely.
public protocol Tokenizer: Sendable {
  var vocabularySize: Int { get }
  var bos: TokenID? { get }
  var eos: TokenID? { get }
  /// Equal for tokenizers that map every text to the same ids (a digest of the vocabulary and its rules).
  var fingerprint: String { get }

  /// - Parameters:
  ///   - bos: begin with the BOS token, where there is one.
  ///   - special: read control tokens written out in the text ("</s>") as those tokens. Off for users' text.
  func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID]

  /// The bytes that the token adds to a running text; empty for control tokens unless `special`.
  /// Ids outside the vocabulary have no bytes.
  func bytes(of token: TokenID, special: Bool) -> [UInt8]

  /// The token's printable name, "<0x0A>" or "</s>" included.
  func piece(_ token: TokenID) -> String

  func isControl(_ token: TokenID) -> Bool

  /// Whole text of a list of ids, control tokens left out, as Hugging Face's
  /// `decode(skip_special_tokens=True, clean_up_tokenization_spaces=False)` gives it; ill-formed UTF-8 is repaired.
  func decode(_ tokens: [TokenID]) -> String
}

extension Tokenizer {
  public func encode(_ text: String) -> [TokenID] { encode(text, bos: false, special: false) }
}
