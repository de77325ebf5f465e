internal import LacunaEngine

/// Entries of the reference as a terminal shows them.
struct ReferenceText {
  private let reference: APIReference

  init(_ reference: APIReference) { self.reference = reference }

  func text(of entry: MetaFile.Entry) -> String {
    switch entry {
    case .function(let function):
      Self.joined([function.signature, Self.indented(function.text), Self.table(function.rows)])
    case .alias(let alias):
      Self.joined(["\(alias.name)  \(alias.type.text)", Self.indented(alias.text)])
    case .type(let type):
      Self.joined([
        type.isHandle ? "\(type.name)  a handle" : "\(type.name)\(type.parent.map { "  with what \($0) has" } ?? "")",
        Self.indented(type.text), Self.table(type.rows),
        Self.indented(
          reference.files.flatMap(\.functions).filter { $0.owner == type.name }.map(\.signature)
            .joined(separator: "\n")),
      ])
    }
  }

  static func text(of stage: StageSchema) -> String {
    joined([
      "\(stage.name)  \(stage.isSelector ? "a selector" : "a filter") of sampler chains", indented(stage.meaning),
      table(stage.parameters.map { ($0.name, $0.takes, $0.meaning) }),
    ])
  }

  private static func joined(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: "\n\n") }

  /// Without the fences around examples, which stand out by being indented further.
  private static func indented(_ text: String) -> String {
    var isExample = false
    return text.split(separator: "\n", omittingEmptySubsequences: false).compactMap { line -> String? in
      guard !line.hasPrefix("```") else {
        isExample.toggle()
        return nil
      }
      return line.isEmpty ? "" : "  " + (isExample ? "  " : "") + line
    }.joined(separator: "\n")
  }

  private static func table(_ rows: [(String, String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, type, text in
      let head = "  \(name.padding(to: width))  \(type)"
      return text.isEmpty ? head : "\(head)\n  \("".padding(to: width))    \(text)"
    }.joined(separator: "\n")
  }
}

extension MetaFile.Function {
  /// "Session:append(what, opts?)".
  package var signature: String {
    "\(title)(\(parameters.map { $0.isOptional ? "\($0.name)?" : $0.name }.joined(separator: ", ")))"
  }

  /// Name, type and meaning of each parameter and each result.
  var rows: [(String, String, String)] {
    parameters.map { ($0.isOptional ? "\($0.name)?" : $0.name, $0.type.text, $0.text) }
      + results.map { ($0.name.isEmpty ? "returns" : "returns \($0.name)", $0.type.text, $0.text) }
  }
}

extension MetaFile.Class {
  var rows: [(String, String, String)] {
    fields.map { ($0.name, $0.type.text, $0.text) } + operators.map { ("operator", $0, "") }
  }
}

extension StageSchema.Parameter {
  /// "number from 0 to 1, 0.05 by default".
  package var takes: String {
    var text = kind.rawValue
    if kind == .number || kind == .integer {
      switch (interval.lowerBound.isFinite, interval.upperBound.isFinite) {
      case (true, true): text += " from \(Self.plain(interval.lowerBound)) to \(Self.plain(interval.upperBound))"
      case (true, false): text += " from \(Self.plain(interval.lowerBound))"
      default: break
      }
    }
    let standard: String? =
      switch defaultValue {
      case .number(let number): Self.plain(number)
      case .bool(let flag): "\(flag)"
      case .text(let text): "\"\(text)\""
      case .numbers, .texts, .biases: nil
      }
    return standard.map { "\(text), \($0) by default" } ?? text
  }

  private static func plain(_ number: Double) -> String {
    Int(exactly: number).map { abs($0) < 1_000_000_000 ? "\($0)" : "\(number)" } ?? "\(number)"
  }
}

extension String {
  /// With spaces behind, for a column of a terminal.
  func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
