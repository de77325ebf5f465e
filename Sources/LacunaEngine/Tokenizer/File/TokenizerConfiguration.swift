/// What tokenizer_config.json says beside the vocabulary; all of it may be absent.
package struct TokenizerConfiguration {
  private(set) var bosToken: String?
  private(set) var eosToken: String?
  private(set) var addsBOS: Bool?
  /// Whether the text after a control token gets a dummy prefix; Hugging Face's default is that it does.
  private(set) var legacy = true
  private(set) var added: [AddedToken] = []

  private static let byteLimit = 16 << 20
  private static let partLimit = 1 << 18

  package init() {}

  /// Reads tokenizer_config.json and, where that lists no added tokens, the older added_tokens.json.
  init(directory: String) throws(LacunaError) {
    let path = directory + "/tokenizer_config.json"
    if fileExists(path) { try read(try Self.parse(path), file: path) }
    let older = directory + "/added_tokens.json"
    if added.isEmpty, fileExists(older) { try readAdded(try Self.parse(older), file: older) }
    added.sort { $0.id < $1.id }
  }

  private mutating func read(_ json: JSONValue, file: String) throws(LacunaError) {
    bosToken = try Self.token(json, "bos_token", file: file)
    eosToken = try Self.token(json, "eos_token", file: file)
    addsBOS = try Self.flag(json, "add_bos_token", file: file)
    legacy = try Self.flag(json, "legacy", file: file) ?? true
    guard let decoder = json.member("added_tokens_decoder") else { return }
    guard let members = decoder.members else {
      throw LacunaError(
        .malformed, file: file, field: "added_tokens_decoder", expected: "an object", found: decoder.shown)
    }
    for (name, value) in members {
      guard let id = Int(name) else {
        throw LacunaError(
          .malformed, file: file, field: "added_tokens_decoder", expected: "ids for names", found: "\"\(name.clipped)\""
        )
      }
      added.append(try AddedToken(value, id: id, field: "added_tokens_decoder.\(id)", file: file))
    }
  }

  private mutating func readAdded(_ json: JSONValue, file: String) throws(LacunaError) {
    guard let members = json.members else {
      throw LacunaError(.malformed, file: file, field: "content", expected: "an object", found: json.shown)
    }
    for (content, value) in members {
      guard let number = value.integer, number >= 0, let id = TokenID(exactly: number) else {
        throw LacunaError(
          .malformed, file: file, field: "\"\(content.clipped)\"", expected: "a token id", found: value.shown)
      }
      let special = content == bosToken || content == eosToken || content.hasPrefix("[PAD") || content.hasPrefix("<pad")
      added.append(AddedToken(id: id, content: content, special: special))
    }
  }

  private static func parse(_ path: String) throws(LacunaError) -> JSONValue {
    try JSONReader.read(try readFile(path, limit: byteLimit), file: path) { (reader) throws(LacunaError) in
      var limit = partLimit
      return try reader.readValue(limit: &limit)
    }
  }

  // A token is written as its content or as an object that has it.
  private static func token(_ json: JSONValue, _ name: String, file: String) throws(LacunaError) -> String? {
    guard let value = json.member(name) else { return nil }
    guard let content = value.string ?? value.member("content")?.string else {
      throw LacunaError(.malformed, file: file, field: name, expected: "a token's content", found: value.shown)
    }
    return content
  }

  private static func flag(_ json: JSONValue, _ name: String, file: String) throws(LacunaError) -> Bool? {
    guard let value = json.member(name) else { return nil }
    guard let flag = value.bool else {
      throw LacunaError(.malformed, file: file, field: name, expected: "true or false", found: value.shown)
    }
    return flag
  }
}
