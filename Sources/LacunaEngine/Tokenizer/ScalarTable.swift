/// From a character (a Unicode scalar) to its symbol: pages of 256, only those that hold something.
struct ScalarTable: Sendable {
  private var pages: [[SymbolID]] = Array(repeating: [], count: 0x1100)

  subscript(_ scalar: UInt32) -> SymbolID {
    get {
      let page = pages[Int(scalar >> 8)]
      return page.isEmpty ? -1 : page[Int(scalar & 0xFF)]
    }
    set {
      let number = Int(scalar >> 8)
      if pages[number].isEmpty { pages[number] = Array(repeating: -1, count: 256) }
      pages[number][Int(scalar & 0xFF)] = newValue
    }
  }
}

/// The scalar that begins at `position` of well-formed UTF-8, and its length in bytes.
@inline(__always)
func decodeScalar(_ text: [UInt8], at position: Int) -> (scalar: UInt32, count: Int) {
  let first = UInt32(text[position])
  if first < 0x80 { return (first, 1) }
  let second = UInt32(text[position + 1] & 0x3F)
  if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
  let third = UInt32(text[position + 2] & 0x3F)
  if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
  return ((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(text[position + 3] & 0x3F), 4)
}
