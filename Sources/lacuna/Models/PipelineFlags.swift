import LacunaEngine
import LacunaScript

/// A pipeline's input as flags: `--question TEXT`, from the schema that its plugin wrote.
struct PipelineFlags {
  private let parameters: [ParameterSchema.Parameter]

  init(_ schema: ParameterSchema) { parameters = schema.parameters }

  static func flag(_ name: String) -> String {
    "--" + name.split(separator: "_", omittingEmptySubsequences: false).joined(separator: "-")
  }

  /// Takes the pipeline's own flags out of a command line.
  /// - Returns: its input, and the words that are somebody else's.
  /// - Throws: `invalidArgument` for a flag without its value, given twice, or with a value of another kind.
  func split(_ words: [String]) throws(LacunaError) -> (input: JSON, rest: [String]) {
    var values: [String: [JSON]] = [:]
    var rest: [String] = []
    var index = 0
    while index < words.count {
      let parts = words[index].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      index += 1
      guard let parameter = parameters.first(where: { Self.flag($0.name) == parts[0] }) else {
        rest.append(words[index - 1])
        continue
      }
      var text = parts.count > 1 ? parts[1] : nil
      let takesNext = parameter.kind != .boolean
      if text == nil, takesNext, index < words.count {
        text = words[index]
        index += 1
      }
      guard let text = text ?? (takesNext ? nil : "true") else {
        throw LacunaError(.invalidArgument, "\(parts[0]): expected \(parameter.expectation), found nothing")
      }
      guard let value = parameter.value(of: text) else {
        throw LacunaError(.invalidArgument, "\(parts[0]): expected \(parameter.expectation), found \"\(text)\"")
      }
      guard parameter.kind == .list || values[parameter.name] == nil else {
        throw LacunaError(.invalidArgument, "\(parts[0]): expected it once, found it twice")
      }
      values[parameter.name, default: []].append(value)
    }
    let members = values.sorted { $0.key < $1.key }.map { name, all in
      (key: name, value: parameters.contains { $0.name == name && $0.kind == .list } ? JSON.array(all) : all[0])
    }
    return (.object(members), rest)
  }

  /// - Throws: `invalidArgument` for a required flag that is not there.
  func requireAll(_ input: JSON) throws(LacunaError) {
    guard case .object(let members) = input else { return }
    for parameter in parameters where parameter.isRequired && !members.contains(where: { $0.key == parameter.name }) {
      throw LacunaError(
        .invalidArgument, "\(Self.flag(parameter.name)) is missing: \(parameter.meaning ?? parameter.expectation)")
    }
  }

  /// What is meant, for a word that is nearly one of the flags; else empty.
  func hint(_ word: String) -> String {
    let flag = word.split(separator: "=").first.map(String.init) ?? word
    return flag.hasPrefix("--") ? NearestName.hint(flag, in: parameters.map { Self.flag($0.name) }) : ""
  }

  /// A line or two for each flag.
  var help: String {
    let rows = parameters.sorted { ($0.isRequired ? 0 : 1, $0.name) < ($1.isRequired ? 0 : 1, $1.name) }
      .map { parameter -> (String, String) in
        let value = parameter.kind == .boolean ? "" : " <\(parameter.unit ?? parameter.kind.rawValue)>"
        var text = parameter.meaning ?? parameter.expectation
        if parameter.isRequired { text += " (required)" }
        if let standard = parameter.defaultText { text += " (default: \(standard))" }
        return (Self.flag(parameter.name) + value, text)
      }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { "  \($0.0.padded(width))  \($0.1)" }.joined(separator: "\n")
  }
}

extension ParameterSchema.Parameter {
  /// The value that a word on the command line stands for; nil where it is of another kind. Ranges are checked later.
  fileprivate func value(of text: String) -> JSON? {
    switch kind {
    case .number: Double(text).map(JSON.number)
    case .integer: Int(text).map(JSON.integer)
    case .boolean: ["true": .bool(true), "false": .bool(false)][text]
    case .string, .list: .string(text)
    case .table: (try? JSONValue.parse(Array(text.utf8), file: name)).map(JSON.init)
    }
  }
}

extension JSON {
  init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .integer(let number): self = .integer(number)
    case .double(let number): self = .number(number)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .array(elements.map(JSON.init))
    case .object(let members):
      self = .object(members.sorted { $0.key < $1.key }.map { ($0.key, JSON($0.value)) })
    }
  }
}
