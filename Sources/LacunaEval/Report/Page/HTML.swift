/// Markup. Text that is interpolated is escaped, and markup is not: what a model says cannot become a tag.
struct HTML: ExpressibleByStringInterpolation, Sendable {
  private(set) var markup: String

  /// - Parameter trusted: our own markup, or a text that was escaped already.
  init(trusted: String) { markup = trusted }
  init(stringLiteral value: String) { markup = value }
  init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }

  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var markup = ""

    init(literalCapacity: Int, interpolationCount: Int) { markup.reserveCapacity(literalCapacity) }

    mutating func appendLiteral(_ literal: String) { markup += literal }
    mutating func appendInterpolation(_ html: HTML) { markup += html.markup }
    mutating func appendInterpolation(_ parts: [HTML]) {
      for part in parts { markup += part.markup }
    }
    mutating func appendInterpolation(_ number: Int) { markup += String(number) }
    mutating func appendInterpolation(_ text: String) { HTML.escape(text, into: &markup) }
    /// A length or a place in a drawing, in tenths of its unit.
    mutating func appendInterpolation(at place: Double) {
      markup += place.isFinite ? "\((place * 10).rounded() / 10)" : "0"
    }
  }

  static let empty = HTML(trusted: "")

  static func + (a: HTML, b: HTML) -> HTML { HTML(trusted: a.markup + b.markup) }
  static func += (a: inout HTML, b: HTML) { a.markup += b.markup }

  /// For content and for attributes in either quotes. Control characters, which HTML knows none of, become U+FFFD.
  private static func escape(_ text: String, into out: inout String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "'": out += "&#39;"
      case "\t", "\n": out.unicodeScalars.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}": out += "\u{FFFD}"
      default: out.unicodeScalars.append(scalar)
      }
    }
  }
}
