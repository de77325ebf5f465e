/// JSON to print: keys in the order in which they are written here, numbers in the shortest form that reads back to
/// the same bits, and `null` for what is not finite.
enum JSON: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  /// Kept apart from `number`: a float's shortest form has fewer digits than that of the double beside it.
  case float(Float)
  case string(String)
  case array([JSON])
  case object([(key: String, value: JSON)])

  init(_ ids: [Int32]) { self = .array(ids.map { .integer(Int($0)) }) }
  init(_ values: some Sequence<Float>) { self = .array(values.map(JSON.float)) }
  init(_ text: String?) { self = text.map(JSON.string) ?? .null }

  /// One line, no spaces, without a line break at the end.
  var text: String {
    var out = ""
    write(to: &out)
    return out
  }

  /// Two spaces a level, for people. Arrays of plain values stay on one line.
  var indentedText: String {
    var out = ""
    writeIndented(to: &out, level: 0)
    return out
  }

  private func write(to out: inout String) {
    switch self {
    case .array(let items):
      out += "["
      for (index, item) in items.enumerated() {
        if index > 0 { out += "," }
        item.write(to: &out)
      }
      out += "]"
    case .object(let members):
      out += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { out += "," }
        JSON.quote(member.key, to: &out)
        out += ":"
        member.value.write(to: &out)
      }
      out += "}"
    default:
      writeScalar(to: &out)
    }
  }

  private func writeIndented(to out: inout String, level: Int) {
    let inner = String(repeating: "  ", count: level + 1)
    switch self {
    case .object(let members) where !members.isEmpty:
      out += "{\n"
      for (index, member) in members.enumerated() {
        out += inner
        JSON.quote(member.key, to: &out)
        out += ": "
        member.value.writeIndented(to: &out, level: level + 1)
        out += index + 1 < members.count ? ",\n" : "\n"
      }
      out += inner.dropLast(2) + "}"
    case .array(let items) where items.contains(where: \.isContainer):
      out += "[\n"
      for (index, item) in items.enumerated() {
        out += inner
        item.writeIndented(to: &out, level: level + 1)
        out += index + 1 < items.count ? ",\n" : "\n"
      }
      out += inner.dropLast(2) + "]"
    default:
      write(to: &out)
    }
  }

  private var isContainer: Bool {
    switch self {
    case .array, .object: true
    default: false
    }
  }

  private func writeScalar(to out: inout String) {
    switch self {
    case .bool(let value): out += value ? "true" : "false"
    case .integer(let value): out += String(value)
    case .number(let value) where value.isFinite: out += value.description
    case .float(let value) where value.isFinite: out += value.description
    case .string(let value): JSON.quote(value, to: &out)
    default: out += "null"
    }
  }

  /// RFC 8259, section 7: quotes, backslashes and control characters are escaped, the rest is UTF-8.
  private static func quote(_ text: String, to out: inout String) {
    out += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}"..<"\u{20}":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }
}

extension JSON: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
  init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements.map { (key: $0.0, value: $0.1) }) }
  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int) { self = .integer(value) }
  init(booleanLiteral value: Bool) { self = .bool(value) }
  init(arrayLiteral elements: JSON...) { self = .array(elements) }
}
