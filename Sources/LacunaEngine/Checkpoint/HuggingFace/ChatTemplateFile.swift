/// A checkpoint's chat template: chat_template.jinja, or the member of tokenizer_config.json.
enum ChatTemplateFile {
  static let maximumTemplateByteCount = 1 << 20
  /// tokenizer_config.json lists every added token too.
  private static let maximumConfigByteCount = 64 << 20

  /// - Returns: nil where the directory has none. The file of its own wins, as in transformers.
  static func read(directory: String) throws(LacunaError) -> String? {
    let own = "\(directory)/chat_template.jinja"
    if fileExists(own) {
      let bytes = try readFile(own, limit: maximumTemplateByteCount)
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw LacunaError(.malformed, file: own, field: "the file", expected: "UTF-8", found: "an ill-formed sequence")
      }
      return text
    }
    let path = "\(directory)/tokenizer_config.json"
    guard fileExists(path) else { return nil }
    let bytes = try readFile(path, limit: maximumConfigByteCount)
    var template: String?
    try JSONReader.read(bytes, file: path) { (reader) throws(LacunaError) in
      try reader.readObject { (reader, name) throws(LacunaError) in
        if name == "chat_template" { template = try readTemplate(&reader) } else { try reader.skipValue() }
      }
    }
    if let template, template.utf8.count > maximumTemplateByteCount {
      throw LacunaError(
        .malformed, file: path, field: "chat_template", expected: "at most \(maximumTemplateByteCount) bytes",
        found: "\(template.utf8.count)")
    }
    return template
  }

  /// A string, null, or a list of {name, template} of which "default" counts.
  private static func readTemplate(_ reader: inout JSONReader) throws(LacunaError) -> String? {
    switch try reader.peekKind() {
    case .string: return try reader.readString()
    case .null:
      try reader.readNull()
      return nil
    case .array:
      var chosen: String?
      try reader.readArray { (reader) throws(LacunaError) in
        var name: String?
        var template: String?
        try reader.readObject { (reader, field) throws(LacunaError) in
          switch field {
          case "name": name = try reader.readString()
          case "template": template = try reader.readString()
          default: try reader.skipValue()
          }
        }
        if name == "default" { chosen = template }
      }
      return chosen
    case let kind: throw reader.failure("expected chat_template as a string or a list, found \(kind.rawValue)")
    }
  }
}
