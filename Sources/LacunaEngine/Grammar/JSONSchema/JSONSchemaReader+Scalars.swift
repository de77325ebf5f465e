/// Numbers and strings.
extension JSONSchemaReader {
  func number(_ schema: OrderedJSON, isInteger: Bool, at path: String) throws(LacunaError) -> GrammarNode {
    func bound(_ name: String) throws(LacunaError) -> Double? {
      guard let value = schema[name] else { return nil }
      guard let number = value.number else {
        throw Self.failure("\(path)/\(name)", "expected a number, found \(value.text.prefix(40))")
      }
      return number
    }
    if let step = try bound("multipleOf"), !(isInteger && step == 1) {
      throw Self.failure(path + "/multipleOf", "expected 1 for an integer (others are not supported), found \(step)")
    }
    let minimum = try bound("minimum")
    let maximum = try bound("maximum")
    let above = try bound("exclusiveMinimum")
    let below = try bound("exclusiveMaximum")
    guard minimum ?? maximum ?? above ?? below != nil else {
      return isInteger ? JSONNumberText.integer : JSONNumberText.number
    }
    let lowIsOpen = above.map { above in minimum.map { above >= $0 } ?? true } ?? false
    let highIsOpen = below.map { below in maximum.map { below <= $0 } ?? true } ?? false
    let low = lowIsOpen ? above : minimum
    let high = highIsOpen ? below : maximum
    let node: GrammarNode?
    if isInteger {
      let least = [schema["minimum"]?.rounded(.up), schema["exclusiveMinimum"]?.rounded(.down).map { $0 + 1 }]
      let most = [schema["maximum"]?.rounded(.down), schema["exclusiveMaximum"]?.rounded(.up).map { $0 - 1 }]
      node = JSONNumberText.integer(least.compactMap(\.self).max(), most.compactMap(\.self).min())
    } else {
      node = JSONNumberText.number(low, high, lowIsOpen: lowIsOpen, highIsOpen: highIsOpen)
    }
    guard let node else {
      throw Self.failure(
        path,
        "no \(isInteger ? "integer" : "number") can be written between \(low ?? -.infinity) and \(high ?? .infinity)")
    }
    return node
  }

  mutating func string(_ schema: OrderedJSON, at path: String) throws(LacunaError) -> GrammarNode {
    let minimum = try count(schema, "minLength", at: path)
    let maximum = try count(schema, "maxLength", at: path)
    var body: GrammarNode?
    if let pattern = schema["pattern"] {
      guard case .string(let pattern) = pattern else {
        throw Self.failure(path + "/pattern", "expected a string, found \(pattern.text.prefix(40))")
      }
      guard minimum == nil, maximum == nil else {
        throw Self.failure(path, "\"pattern\" beside a length is not supported; write the length into the pattern")
      }
      do throws(LacunaError) {
        body = try RegexReader.read(pattern, isAnchored: false, encode: JSONStringText.node)
      } catch {
        throw Self.failure(path + "/pattern", error.message)
      }
    } else if case .string(let format)? = schema["format"], let pattern = Self.formats[format] {
      body = try RegexReader.read(pattern, isAnchored: true)
    } else if minimum != nil || maximum != nil {
      if let maximum, maximum < minimum ?? 0 {
        throw Self.failure(path, "no string has at least \(minimum ?? 0) and at most \(maximum) characters")
      }
      let character = sharedRule("character") { _ in JSONStringText.anyCharacter }
      body = .repetition(character, minimum: minimum ?? 0, maximum: maximum)
    }
    guard let body else { return anyString }
    return .sequence([.text("\""), body, .text("\"")])
  }

  func count(_ schema: OrderedJSON, _ name: String, at path: String) throws(LacunaError) -> Int? {
    guard let value = schema[name] else { return nil }
    guard let number = value.number, let count = Int(exactly: number), (0...1_000_000).contains(count) else {
      throw Self.failure("\(path)/\(name)", "expected a count up to a million, found \(value.text.prefix(40))")
    }
    return count
  }

  /// The formats whose texts can be told by their shape (draft 2020-12, validation, section 7.3); others are annotations.
  /// Days of a month are not counted: 28 fit every one.
  private static let formats: [String: String] = [
    "date": date, "time": time, "date-time": date + "T" + time,
    "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "ipv4": "(" + octet + "\\.){3}" + octet,
    "email": "[a-z0-9]+([._-][a-z0-9]+)*@[a-z0-9]+(-[a-z0-9]+)*(\\.[a-z0-9]+)*\\.[a-z]{2,12}",
  ]
  private static let date = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
  private static let time =
    "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
  private static let octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
}
