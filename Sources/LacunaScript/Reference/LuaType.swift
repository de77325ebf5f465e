/// A type as LuaCATS writes it, kept as text: `string|integer[]`, `fun(v: lacuna.Vec): number?`.
///
/// Read only as far as is needed to find its end and the names in it.
package struct LuaType: Sendable, Equatable {
  package let text: String
  /// Of classes, aliases and Lua's own types.
  package let names: Set<String>

  /// Lua's and the language server's own.
  package static let builtIn: Set<String> = [
    "any", "boolean", "false", "function", "integer", "nil", "number", "string", "table", "thread", "true",
    "userdata", "unknown",
  ]
}

/// Reads types from the beginning of a line's rest.
struct LuaTypeReader {
  struct Fault: Error {
    let expected: String
    let found: String
  }

  private let characters: [Character]
  private var position = 0
  private var names: Set<String> = []
  private static let greatestDepth = 32
  private var depth = 0

  init(_ text: some StringProtocol) { characters = Array(text) }

  /// What follows, without spaces around.
  var rest: String { String(characters[position...]).trimmed }

  mutating func type() throws(Fault) -> LuaType {
    skipSpaces()
    names = []
    let start = position
    try union()
    return LuaType(text: String(characters[start..<position]), names: names)
  }

  /// `name`, `name?` or `...`.
  mutating func name() throws(Fault) -> (name: String, isOptional: Bool) {
    skipSpaces()
    if take("...") { return ("...", false) }
    guard let name = word() else { throw fault("a name") }
    return (name, take("?"))
  }

  /// A word that is separated by one space from what was read, as the name of a result is.
  mutating func takeName() -> String? {
    let start = position
    guard take(" "), let name = word() else {
      position = start
      return nil
    }
    return name
  }

  /// Takes the characters where they come next.
  mutating func take(_ text: String) -> Bool {
    let end = position + text.count
    guard end <= characters.count, characters[position..<end].elementsEqual(text) else { return false }
    position = end
    return true
  }

  /// Takes the characters behind spaces.
  mutating func takeNext(_ text: String) -> Bool {
    let start = position
    skipSpaces()
    if take(text) { return true }
    position = start
    return false
  }

  // MARK: Grammar

  private mutating func union() throws(Fault) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.greatestDepth else { throw fault("a type that is less deep") }
    repeat {
      skipSpaces()
      try primary()
      while take("[]") || take("?") {}
    } while takeNext("|")
  }

  private mutating func primary() throws(Fault) {
    if take("(") {
      try union()
      return try expect(")")
    }
    if take("{") { return try fields() }
    if take("\"") {
      while position < characters.count, characters[position] != "\"" { position += 1 }
      return try expect("\"")
    }
    guard let name = dottedName() else { throw fault("a type") }
    if name == "fun" { return try function() }
    names.insert(name)
    guard take("<") else { return }
    repeat { try union() } while takeNext(",")
    try expect(">")
  }

  /// `{ name: type, [type]: type }`, behind the brace.
  private mutating func fields() throws(Fault) {
    if takeNext("}") { return }
    repeat {
      skipSpaces()
      if take("[") {
        try union()
        try expect("]")
      } else {
        _ = try name()
      }
      try expect(":")
      try union()
    } while takeNext(",")
    try expect("}")
  }

  /// `(a: type, b?: type): type, type`, behind `fun`.
  private mutating func function() throws(Fault) {
    try expect("(")
    if !takeNext(")") {
      repeat {
        _ = try name()
        if takeNext(":") { try union() }
      } while takeNext(",")
      try expect(")")
    }
    guard takeNext(":") else { return }
    repeat { try union() } while takeNext(",")
  }

  private mutating func dottedName() -> String? {
    guard var name = word() else { return nil }
    while position + 1 < characters.count, characters[position] == ".", characters[position + 1].isLetter {
      position += 1
      name += "." + (word() ?? "")
    }
    return name
  }

  private mutating func word() -> String? {
    let start = position
    while position < characters.count,
      characters[position] == "_" || characters[position].isLetter || characters[position].isNumber
    {
      position += 1
    }
    return position > start ? String(characters[start..<position]) : nil
  }

  private mutating func skipSpaces() {
    while position < characters.count, characters[position] == " " { position += 1 }
  }

  private mutating func expect(_ text: String) throws(Fault) {
    guard takeNext(text) else { throw fault("\"\(text)\"") }
  }

  private func fault(_ expected: String) -> Fault {
    let found = String(characters[position...].prefix(20)).trimmed
    return Fault(expected: expected, found: found.isEmpty ? "the end of the line" : "\"\(found)\"")
  }
}

extension StringProtocol {
  /// Without spaces at either end.
  var trimmed: String {
    guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else { return "" }
    return String(self[first...last])
  }
}
