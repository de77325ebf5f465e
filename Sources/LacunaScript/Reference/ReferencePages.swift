public import LacunaEngine

/// docs/reference: the pages that are made of the LuaCATS files and of the catalogue of native stages.
public struct ReferencePages {
  private let reference: APIReference

  public init(_ reference: APIReference) { self.reference = reference }

  /// Puts the pages into a folder, which is made where it is missing.
  public func write(to folder: String) throws(LacunaError) {
    if !isDirectory(folder) { try makeFolder(folder) }
    for page in pages { try writeFile(page.text, to: "\(folder)/\(page.name)") }
  }

  /// File names, and what they hold.
  package var pages: [(name: String, text: String)] {
    [("README.md", index)] + sections.map { (fileName($0), page($0)) } + [("stages.md", stages)]
  }

  private var sections: [MetaFile.Section] { reference.files.flatMap(\.sections) }

  private func fileName(_ section: MetaFile.Section) -> String {
    Self.anchor(section.title) + ".md"
  }

  private static let note =
    "<!-- Made from plugins/meta by `lacuna doc --pages docs/reference`: change it there. -->\n"

  private var index: String {
    var text = Self.note + "# Reference of the Lua API\n\n"
    text +=
      "`lacuna doc NAME` shows one entry in the terminal, `:help NAME` in `lacuna repl`. A name with `?` may be left\n"
    text += "out. Verbs change their receiver and return it; token ids count from 0 and lists from 1.\n"
    for section in sections {
      text += "\n## [\(section.title)](\(fileName(section)))\n\n"
      let functions = section.entries.compactMap { if case .function(let it) = $0 { it } else { nil } }
      if !section.text.isEmpty { text += section.text + "\n\n" }
      text += "| | |\n|---|---|\n"
      for function in functions {
        let link = "\(fileName(section))#\(Self.anchor(function.signature))"
        text += "| [`\(function.title)`](\(link)) | \(Self.cell(MetaFile.Entry.function(function).summary)) |\n"
      }
    }
    return text + "\n## [Native sampler stages](stages.md)\n\nFilters and selectors, with their parameters.\n"
  }

  private func page(_ section: MetaFile.Section) -> String {
    var text = Self.note + "# \(section.title)\n"
    if !section.text.isEmpty { text += "\n\(section.text)\n" }
    for entry in section.entries {
      text += "\n" + self.text(of: entry)
    }
    return text
  }

  private func text(of entry: MetaFile.Entry) -> String {
    switch entry {
    case .function(let function):
      Self.block("### `\(function.signature)`", function.text, function.rows)
    case .type(let type):
      Self.block(
        "## `\(type.name)`\(type.isHandle ? " (a handle)" : type.parent.map { ": `\($0)`" } ?? "")", type.text,
        type.rows)
    case .alias(let alias):
      Self.block("## `\(alias.name)`", alias.text, []) + "\n`\(alias.type.text)`\n"
    }
  }

  private static func block(_ heading: String, _ text: String, _ rows: [(String, String, String)]) -> String {
    var block = heading + "\n"
    if !text.isEmpty { block += "\n\(spaced(text))\n" }
    guard !rows.isEmpty else { return block }
    block += "\n| | | |\n|---|---|---|\n"
    for (name, type, meaning) in rows { block += "| `\(name)` | `\(cell(type))` | \(cell(meaning)) |\n" }
    return block
  }

  /// An example stands apart from the text around it.
  private static func spaced(_ text: String) -> String {
    var lines: [Substring] = []
    var isExample = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if !isExample, !lines.isEmpty { lines.append("") }
        isExample.toggle()
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n")
  }

  private var stages: String {
    var text = Self.note + "# Native sampler stages\n\n"
    text +=
      "In a chain as `{ \"min_p\", p = 0.05 }`, on the command line as `--sampler min_p:p=0.05`. A bare value is the first\n"
    text += "parameter's: `{ \"top_k\", 40 }`, `top_k:40`.\n"
    for (title, isSelector) in [("Filters", false), ("Selectors", true)] {
      text += "\n## \(title)\n"
      for stage in SamplerChain.catalogue where stage.isSelector == isSelector {
        text +=
          "\n"
          + Self.block(
            "### `\(stage.name)`", stage.meaning, stage.parameters.map { ($0.name, $0.takes, $0.meaning) })
      }
    }
    return text
  }

  /// In a table "|" ends a cell, in code as well.
  private static func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }

  /// As GitHub makes anchors of headings.
  private static func anchor(_ heading: String) -> String {
    String(
      heading.lowercased().compactMap { character -> Character? in
        if character == " " { return "-" }
        return character.isLetter || character.isNumber || character == "-" || character == "_" ? character : nil
      })
  }
}
