/// A strict pull parser of JSON (RFC 8259) for files that nobody vouches for.
///
/// It goes forward only and builds nothing that the caller does not ask for, so memory is bounded by what is kept.
/// Refused: ill-formed UTF-8, a byte order mark, repeated names in an object, nesting beyond `maximumDepth`, more than
/// `maximumMembers` members in an object, strings of more than 16 MiB, lone surrogates, numbers that a Double cannot
/// hold, trailing text.
package struct JSONReader {
  // Borrowed: the caller keeps the bytes alive and unchanged while it reads.
  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  /// The way from the document to what is being read; its length is the depth.
  private var steps: [Step] = []
  private static let maximumStringByteCount = 16 << 20
  /// How the file is called in messages.
  package let file: String
  package let maximumDepth: Int
  package let maximumMembers: Int

  package init(_ bytes: UnsafeRawBufferPointer, file: String, maximumDepth: Int = 32, maximumMembers: Int = 1 << 20) {
    self.bytes = bytes
    self.file = file
    self.maximumDepth = maximumDepth
    self.maximumMembers = maximumMembers
  }

  private enum Step {
    /// The object itself, before its first member's name.
    case object
    case member(String)
    case element(Int)
  }

  /// Reads a whole document: `body` must consume its one value.
  package static func read<Result>(
    _ bytes: [UInt8], file: String, maximumMembers: Int = 1 << 20,
    _ body: (inout JSONReader) throws(LacunaError) -> Result
  ) throws(LacunaError) -> Result {
    try bytes.withUnsafeBufferPointer { (buffer) throws(LacunaError) in
      var reader = JSONReader(UnsafeRawBufferPointer(buffer), file: file, maximumMembers: maximumMembers)
      let result = try body(&reader)
      try reader.finish()
      return result
    }
  }

  package enum Kind: String { case object, array, string, number, boolean, null }

  /// What the next value is.
  package mutating func peekKind() throws(LacunaError) -> Kind {
    skipSpace()
    switch peek() {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
    case UInt8(ascii: "n"): return .null
    case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): return .number
    default: throw unexpected("a value")
    }
  }

  /// Reads an object, calling `member` for each name; it must read exactly the value.
  package mutating func readObject(
    _ member: (inout JSONReader, String) throws(LacunaError) -> Void
  ) throws(LacunaError) {
    try enter(UInt8(ascii: "{"), "an object", .object)
    // By bytes: names that are canonically equivalent in Unicode, which String would call equal, are distinct.
    var names = Set<[UInt8]>()
    skipSpace()
    if !take(UInt8(ascii: "}")) {
      repeat {
        let name = try readString()
        guard names.insert(Array(name.utf8)).inserted else {
          throw failure("expected distinct names, found \"\(name.clipped)\" twice")
        }
        guard names.count <= maximumMembers else {
          throw failure("expected at most \(maximumMembers) members, found more")
        }
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw unexpected("':'") }
        steps[steps.count - 1] = .member(name)
        try member(&self, name)
        steps[steps.count - 1] = .object
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "}")) else { throw unexpected("',' or '}'") }
    }
    steps.removeLast()
  }

  /// Reads an array, calling `element` before each value; it must read exactly the value.
  package mutating func readArray(_ element: (inout JSONReader) throws(LacunaError) -> Void) throws(LacunaError) {
    try enter(UInt8(ascii: "["), "an array", .element(0))
    skipSpace()
    if !take(UInt8(ascii: "]")) {
      var count = 0
      repeat {
        steps[steps.count - 1] = .element(count)
        try element(&self)
        count += 1
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "]")) else { throw unexpected("',' or ']'") }
    }
    steps.removeLast()
  }

  package mutating func readString() throws(LacunaError) -> String {
    skipSpace()
    guard take(UInt8(ascii: "\"")) else { throw unexpected("a string") }
    let start = position
    while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
      guard position - start <= Self.maximumStringByteCount else { throw stringTooLong }
    }
    if peek() == UInt8(ascii: "\"") {
      let text = String(validating: bytes[start..<position], as: UTF8.self)
      position += 1
      guard let text else { throw failure("expected UTF-8, found an ill-formed sequence") }
      return text
    }
    return try readEscapedString(from: start)
  }

  /// A whole number that an Int holds, written without fraction or exponent.
  package mutating func readInteger() throws(LacunaError) -> Int {
    guard case .integer(let value) = try readNumber() else {
      throw failure("expected an integer, found another number")
    }
    return value
  }

  package enum Number {
    case integer(Int)
    /// Finite: written with fraction or exponent, or beyond Int.
    case double(Double)
  }

  package mutating func readNumber() throws(LacunaError) -> Number {
    skipSpace()
    let start = position
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) {
      guard skipDigits() else { throw unexpected("a number") }
    }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      guard skipDigits() else { throw unexpected("a digit") }
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      guard skipDigits() else { throw unexpected("a digit") }
    }
    guard position - start <= 512 else { throw failure("expected a number of at most 512 digits, found more") }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      throw failure("expected a finite number, found \(text.clipped)")
    }
    return .double(value)
  }

  package mutating func readBool() throws(LacunaError) -> Bool {
    skipSpace()
    if takeWord("true") { return true }
    if takeWord("false") { return false }
    throw unexpected("true or false")
  }

  package mutating func readNull() throws(LacunaError) {
    skipSpace()
    guard takeWord("null") else { throw unexpected("null") }
  }

  /// Reads any value, checking it in full, and drops it.
  package mutating func skipValue() throws(LacunaError) {
    switch try peekKind() {
    case .object: try readObject { (reader, _) throws(LacunaError) in try reader.skipValue() }
    case .array: try readArray { (reader) throws(LacunaError) in try reader.skipValue() }
    case .string: _ = try readString()
    case .number: _ = try readNumber()
    case .boolean: _ = try readBool()
    case .null: try readNull()
    }
  }

  /// - Throws: `malformed` unless nothing but white space is left.
  package mutating func finish() throws(LacunaError) {
    skipSpace()
    guard position == bytes.count else { throw unexpected("the end") }
  }

  /// An error at the present position, with the names that lead there.
  package func failure(_ text: String) -> LacunaError {
    LacunaError(.malformed, "\(file): JSON, byte \(position)\(place): \(text)")
  }

  /// ", in model.merges[3]", or nothing at the top.
  private var place: String {
    var field = ""
    for step in steps {
      switch step {
      case .object: break
      case .member(let name): field += (field.isEmpty ? "" : ".") + name.clipped
      case .element(let index): field += "[\(index)]"
      }
    }
    return field.isEmpty ? "" : ", in \(field)"
  }

  // MARK: Bytes

  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  private mutating func takeWord(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard bytes.count - position >= length else { return false }
    for i in 0..<length where bytes[position + i] != word.utf8Start[i] { return false }
    position += length
    return true
  }

  private mutating func skipDigits() -> Bool {
    let start = position
    while let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
    return position > start
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func enter(_ byte: UInt8, _ what: String, _ step: Step) throws(LacunaError) {
    skipSpace()
    guard take(byte) else { throw unexpected(what) }
    steps.append(step)
    guard steps.count <= maximumDepth else { throw failure("expected at most \(maximumDepth) levels, found more") }
  }

  private func unexpected(_ wanted: String) -> LacunaError {
    let found =
      switch peek() {
      case nil: "the end"
      case let byte? where byte > 0x20 && byte < 0x7F: "'\(Character(UnicodeScalar(byte)))'"
      case let byte?: "byte 0x" + String(byte, radix: 16)
      }
    return failure("expected \(wanted), found \(found)")
  }

  private var stringTooLong: LacunaError {
    failure("expected a string of at most \(Self.maximumStringByteCount) bytes, found a longer one")
  }

  // MARK: Escapes

  private mutating func readEscapedString(from start: Int) throws(LacunaError) -> String {
    var text = [UInt8](bytes[start..<position])
    while true {
      guard let byte = peek() else { throw unexpected("the end of a string") }
      guard byte >= 0x20 else { throw unexpected("a string without control bytes") }
      position += 1
      if byte == UInt8(ascii: "\"") { break }
      guard text.count < Self.maximumStringByteCount else { throw stringTooLong }
      if byte == UInt8(ascii: "\\") {
        text.append(contentsOf: String(try readEscape()).utf8)
      } else {
        text.append(byte)
      }
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      throw failure("expected UTF-8, found an ill-formed sequence")
    }
    return string
  }

  private mutating func readEscape() throws(LacunaError) -> Character {
    guard let byte = peek() else { throw unexpected("an escape") }
    let plain: UnicodeScalar
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = UnicodeScalar(byte)
    case UInt8(ascii: "b"): plain = "\u{8}"
    case UInt8(ascii: "f"): plain = "\u{C}"
    case UInt8(ascii: "n"): plain = "\n"
    case UInt8(ascii: "r"): plain = "\r"
    case UInt8(ascii: "t"): plain = "\t"
    case UInt8(ascii: "u"):
      position += 1
      return Character(try readUnicodeEscape())
    default: throw unexpected("an escape")
    }
    position += 1
    return Character(plain)
  }

  private mutating func readUnicodeEscape() throws(LacunaError) -> UnicodeScalar {
    let unit = try readHex()
    if let scalar = UnicodeScalar(unit) { return scalar }
    guard unit < 0xDC00, takeWord("\\u") else { throw failure("expected a pair of surrogates, found one") }
    let low = try readHex()
    guard (0xDC00...0xDFFF).contains(low),
      let scalar = UnicodeScalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    else { throw failure("expected a pair of surrogates, found one") }
    return scalar
  }

  private mutating func readHex() throws(LacunaError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
        throw unexpected("four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}

extension String {
  /// At most 80 characters with control characters escaped: foreign text that goes into a message.
  package var clipped: String {
    var text = ""
    for scalar in unicodeScalars.prefix(80) { text += scalar.escaped(asASCII: false) }
    return unicodeScalars.count > 80 ? text + "..." : text
  }
}
