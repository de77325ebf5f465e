extension TokenizerJSONFile {
  /// Tokens by id, "" where there is none.
  /// - Throws: `malformed` for an id that two tokens have, or beyond `rows`.
  func tokens() throws(LacunaError) -> [String] {
    let count = (model.vocabulary.map { Int($0.id) }.max() ?? -1) + 1
    // Holes are allowed, but a few tokens must not justify a large table.
    let limit = rows ?? max(model.vocabulary.count * 4, 1 << 16)
    guard count <= limit else {
      throw LacunaError(
        .malformed, file: file, field: "model.vocab", expected: "ids below \(limit)", found: "\(count - 1)")
    }
    var tokens = Array(repeating: "", count: count)
    for (token, id) in model.vocabulary {
      guard tokens[Int(id)].isEmpty else {
        throw LacunaError(
          .malformed, file: file, field: "model.vocab", expected: "distinct ids",
          found: "\(id) for \"\(tokens[Int(id)].clipped)\" and \"\(token.clipped)\"")
      }
      tokens[Int(id)] = token
    }
    return tokens
  }

  /// The token that the post-processor puts in front of a single text.
  func templateBOS() throws(LacunaError) -> TokenID? {
    let processors = postProcessor.type == "Sequence" ? postProcessor["processors"]?.elements ?? [] : [postProcessor]
    var bos: TokenID?
    for processor in processors where !processor.isNull {
      switch processor.type {
      case "ByteLevel": break  // offsets only
      case "TemplateProcessing":
        guard let first = processor["single"]?.elements?.first?["SpecialToken"]?["id"]?.string else { break }
        let ids = processor["special_tokens"]?[first]?["ids"]?.elements
        guard let id = ids?.first?.integer.flatMap({ TokenID(exactly: $0) }), ids?.count == 1 else {
          throw LacunaError(
            .malformed, file: file, field: "post_processor.special_tokens", expected: "one id for \"\(first.clipped)\"",
            found: ids.map { "\($0.count)" } ?? "none")
        }
        bos = id
      default: throw unsupported("post_processor", "TemplateProcessing", processor)
      }
    }
    return bos
  }

  func unsupported(_ field: String, _ expected: String, _ found: JSONValue) -> LacunaError {
    LacunaError(
      .unsupported, file: file, field: field, expected: expected,
      found: found.type.isEmpty ? found.shown : found.type.clipped)
  }
}
