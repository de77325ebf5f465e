/// What SentencePiece does to a text before pieces are matched, and to characters that no piece covers.
package struct SentencePieceRules: Sendable, Hashable {
  package enum DummyPrefix: String, Sendable {
    case never
    /// Every text gets a space in front, also one that begins with a space.
    case always
    /// A text that does not begin with a space gets one.
    case ifMissing
  }

  package var dummyPrefix = DummyPrefix.always
  /// Whether the text after a control token gets a dummy prefix as well: what Hugging Face calls legacy behaviour, and
  /// what llama.cpp and Meta's own code do. Only matters where control tokens are read from the text.
  package var prefixesEverySegment = true
  /// Drops spaces at both ends and folds runs of them.
  package var removesExtraSpaces = false
  /// Spaces become U+2581 before pieces are matched.
  package var escapesSpaces = true
  /// No piece crosses the beginning of a space (Hugging Face's Metaspace with `split`).
  package var splitsAtEverySpace = false
  /// Characters without a piece become their bytes' pieces; otherwise the unknown token.
  package var byteFallback = true
  /// Neighbouring unknown tokens become one.
  package var fusesUnknown = true

  package init() {}
}
