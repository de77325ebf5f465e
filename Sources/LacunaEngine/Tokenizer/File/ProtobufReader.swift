/// Goes over the fields of one protocol-buffers message (proto2 wire format), without recursion and without copying.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    /// Strings, bytes and nested messages: where in the file they lie.
    case bytes(Range<Int>)
  }

  let data: [UInt8]
  private var position: Int
  private let end: Int
  private let file: String

  init(_ data: [UInt8], range: Range<Int>? = nil, file: String) {
    self.data = data
    let range = range ?? 0..<data.count
    position = range.lowerBound
    end = range.upperBound
    self.file = file
  }

  /// The next field, or nil at the end of the message.
  /// - Throws: `malformed` where a length leaves the message, a number is too long or a wire type is unknown.
  mutating func next() throws(LacunaError) -> (field: Int, value: Value)? {
    if position == end { return nil }
    let start = position
    let key = try varint()
    guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw failure(start, "expected a field number, found \(key >> 3)") }
    let field = Int(key >> 3)
    switch key & 7 {
    case 0: return (field, .varint(try varint()))
    case 1: return (field, .fixed64(try fixed(8)))
    case 2:
      let length = try varint()
      guard let count = Int(exactly: length), count <= end - position else {
        throw failure(start, "expected at most \(end - position) bytes in field \(field), found \(length)")
      }
      position += count
      return (field, .bytes(position - count..<position))
    case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw failure(start, "expected wire type 0, 1, 2 or 5 in field \(field), found \(key & 7)")
    }
  }

  private mutating func varint() throws(LacunaError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard position < end else { throw failure(start, "expected a number, found the end") }
      let byte = data[position]
      position += 1
      guard shift < 63 || byte < 2 else { break }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw failure(start, "expected a number of 64 bits, found a longer one")
  }

  private mutating func fixed(_ count: Int) throws(LacunaError) -> UInt64 {
    guard end - position >= count else { throw failure(position, "expected \(count) bytes, found \(end - position)") }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(data[position + index]) << (8 * UInt64(index)) }
    position += count
    return value
  }

  private func failure(_ position: Int, _ text: String) -> LacunaError {
    LacunaError(.malformed, "\(file): byte \(position): \(text)")
  }
}
