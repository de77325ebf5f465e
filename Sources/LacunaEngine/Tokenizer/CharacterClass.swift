/// The classes that pre-tokenizers tell apart, by Unicode's general categories.
enum CharacterClass: UInt8, Sendable {
  /// \p{L}
  case letter
  /// \p{N}
  case number
  /// \s: the property White_Space.
  case space
  /// \p{P}
  case punctuation
  case other

  @inline(__always)
  init(_ scalar: UInt32) {
    if scalar < 0x1_0000 {
      self = Self.basicPlane[Int(scalar)]
    } else {
      self.init(computing: scalar)
    }
  }

  /// \w: letters, marks, numbers and connectors.
  static func isWord(_ scalar: UInt32) -> Bool {
    switch Unicode.Scalar(scalar)?.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .connectorPunctuation, .decimalNumber: true
    default: CharacterClass(scalar) == .letter || Unicode.Scalar(scalar)?.properties.isAlphabetic ?? false
    }
  }

  private init(computing scalar: UInt32) {
    guard let properties = Unicode.Scalar(scalar)?.properties else {
      self = .other
      return
    }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
    case .decimalNumber, .letterNumber, .otherNumber: self = .number
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      self = .punctuation
    default: self = properties.isWhitespace ? .space : .other
    }
  }

  private static let basicPlane: [CharacterClass] = (0..<0x1_0000).map { CharacterClass(computing: $0) }
}
