/// What a piece is for: SentencePiece's own codes, which GGUF's `token_type` shares.
package enum PieceType: Int32, Sendable {
  case normal = 1
  case unknown = 2
  case control = 3
  case userDefined = 4
  /// Matched while merging, and taken apart again in the result.
  case unused = 5
  case byte = 6

  /// Whether merging can produce it from text.
  var isMatched: Bool { self == .normal || self == .userDefined || self == .unused }
}
