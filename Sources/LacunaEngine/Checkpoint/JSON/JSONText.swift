/// JSON to be written: members keep their order, numbers keep the digits that they were given.
package enum JSONText {
  case object([(String, JSONText)])
  case array([JSONText])
  case string(String)
  case number(String)
  case bool(Bool)
  case null
  /// JSON already.
  case verbatim(String)

  package static func integer(_ value: Int) -> JSONText { .number("\(value)") }
  /// The shortest digits that read back as the same value. The value must be finite.
  package static func real(_ value: Double) -> JSONText { .number("\(value)") }
  package static func real(_ value: Float) -> JSONText { .number("\(value)") }

  /// UTF-8, indented by two, with a final newline.
  package func rendered() -> [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes, indent: 0)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  /// UTF-8 without space between the parts.
  package func compact() -> [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes, indent: nil)
    return bytes
  }

  private func append(to bytes: inout [UInt8], indent: Int?) {
    switch self {
    case .null: bytes += Array("null".utf8)
    case .bool(let value): bytes += Array((value ? "true" : "false").utf8)
    case .number(let digits), .verbatim(let digits): bytes += Array(digits.utf8)
    case .string(let text): Self.append(quoted: text, to: &bytes)
    case .array(let elements):
      Self.append(list: elements, "[", "]", indent, to: &bytes) { element, bytes, indent in
        element.append(to: &bytes, indent: indent)
      }
    case .object(let members):
      Self.append(list: members, "{", "}", indent, to: &bytes) { member, bytes, indent in
        Self.append(quoted: member.0, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        if indent != nil { bytes.append(UInt8(ascii: " ")) }
        member.1.append(to: &bytes, indent: indent)
      }
    }
  }

  private static func append<T>(
    list: [T], _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ indent: Int?, to bytes: inout [UInt8],
    each: (T, inout [UInt8], Int?) -> Void
  ) {
    func line(_ depth: Int) {
      bytes.append(UInt8(ascii: "\n"))
      bytes += repeatElement(UInt8(ascii: " "), count: 2 * depth)
    }
    bytes.append(UInt8(ascii: open))
    for (index, element) in list.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      if let indent { line(indent + 1) }
      each(element, &bytes, indent.map { $0 + 1 })
    }
    if let indent, !list.isEmpty { line(indent) }
    bytes.append(UInt8(ascii: close))
  }

  private static func append(quoted text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
      case UInt8(ascii: "\r"): bytes += Array("\\r".utf8)
      case UInt8(ascii: "\t"): bytes += Array("\\t".utf8)
      case 0..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        bytes += Array("\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
