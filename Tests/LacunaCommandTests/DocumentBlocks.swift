import Foundation
import Testing

/// The code blocks of a Markdown document.
///
/// A fenced block says what it is: ```` ```lua ````, ```` ```json ````, ```` ```console ````, and perhaps the file that it is
/// saved as: ```` ```lua cut-tail/init.lua ````. An indented one is shell where it begins with a command.
struct DocumentBlock: Sendable, CustomTestStringConvertible {
  enum Kind: Equatable, Sendable {
    case lua, json
    /// A command a line.
    case shell
    /// "$ command", "> a line of its standard input", and what it prints; "..." stands for anything.
    case console
    /// Diagrams and messages: nothing to run.
    case text
  }

  let document: String
  let line: Int
  let kind: Kind
  let file: String?
  let lines: [String]

  var text: String { lines.joined(separator: "\n") + "\n" }
  var testDescription: String { "\(document):\(line)" }

  /// Words that a line of shell begins with.
  private static let commands: Set = ["lacuna", "make", "scripts/setup", ".ci/run", "cd", "mkdir"]

  static func isCommand(_ line: String) -> Bool {
    line.split(separator: " ").first.map { commands.contains(String($0)) || $0.hasPrefix("scripts/") } ?? false
  }

  static func all(in document: String) throws -> [DocumentBlock] {
    let text = try String(contentsOfFile: "\(Command.root)/\(document)", encoding: .utf8)
    var blocks: [DocumentBlock] = []
    var fence: (info: [String], line: Int, lines: [String])?
    var indented: (line: Int, lines: [String])?
    var isAfterBlank = true
    func closeIndented() {
      guard let block = indented else { return }
      indented = nil
      let kind: Kind = block.lines.first.map(isCommand) == true ? .shell : .text
      blocks.append(DocumentBlock(document: document, line: block.line, kind: kind, file: nil, lines: block.lines))
    }
    for (index, line) in text.components(separatedBy: "\n").enumerated() {
      if var open = fence {
        if line == "```" {
          let kind: Kind =
            switch open.info.first {
            case "lua": .lua
            case "json": .json
            case "sh": .shell
            case "console": .console
            default: .text
            }
          blocks.append(
            DocumentBlock(
              document: document, line: open.line, kind: kind, file: open.info.dropFirst().first, lines: open.lines))
          fence = nil
        } else {
          open.lines.append(line)
          fence = open
        }
      } else if line.hasPrefix("```") {
        closeIndented()
        fence = (line.dropFirst(3).split(separator: " ").map(String.init), index + 1, [])
      } else if line.hasPrefix("    "), indented != nil || isAfterBlank {
        indented = (indented?.line ?? index + 1, (indented?.lines ?? []) + [String(line.dropFirst(4))])
      } else if !line.isEmpty {
        closeIndented()
      }
      isAfterBlank = line.isEmpty
    }
    closeIndented()
    return blocks
  }
}

/// A command with what it reads and what it shall print.
struct DocumentCommand: Sendable {
  let line: Int
  let words: String
  var input = ""
  /// nil, or empty, where the document does not show it.
  var expected: [String]?

  static func all(of block: DocumentBlock) -> [DocumentCommand] {
    var commands: [DocumentCommand] = []
    var isContinued = false
    for (offset, line) in block.lines.enumerated() {
      let number = block.line + offset + (block.kind == .console ? 1 : 0)
      if isContinued, let last = commands.popLast() {
        commands.append(DocumentCommand(line: last.line, words: "\(last.words)\n\(line)", expected: last.expected))
        isContinued = line.hasSuffix("\\")
      } else if block.kind == .shell {
        if line.trimmingCharacters(in: .whitespaces).isEmpty { continue }
        commands.append(DocumentCommand(line: number, words: line))
        isContinued = line.hasSuffix("\\")
      } else if line.hasPrefix("$ ") {
        commands.append(DocumentCommand(line: number, words: String(line.dropFirst(2)), expected: []))
        isContinued = line.hasSuffix("\\")
      } else if !commands.isEmpty {
        if line.hasPrefix("> ") || line == ">" {
          commands[commands.count - 1].input += line.dropFirst(2) + "\n"
        } else {
          commands[commands.count - 1].expected?.append(line)
        }
      }
    }
    return commands
  }

  /// Whether the output is what is shown: line by line, "..." alone for any lines, and in a line for any characters.
  /// Numbers with a point may differ a little, as they do between instruction sets, and those before "ms" as they like.
  /// - Returns: the first line that is not as expected; nil where all are.
  func difference(from output: [String]) -> String? {
    guard var wanted = expected, !wanted.isEmpty else { return nil }
    while wanted.last == "" { wanted.removeLast() }
    var found = output
    while found.last == "" { found.removeLast() }
    return Self.match(wanted[...], found[...])
  }

  private static func match(_ wanted: ArraySlice<String>, _ found: ArraySlice<String>) -> String? {
    guard let first = wanted.first else {
      return found.first.map { "expected no more, found \"\($0)\"" }
    }
    if first == "..." {
      for skipped in 0...found.count where match(wanted.dropFirst(), found.dropFirst(skipped)) == nil { return nil }
      return "expected, somewhere below, \"\(wanted.dropFirst().first ?? "")\""
    }
    guard let line = found.first else { return "expected \"\(first)\", found the end" }
    guard matches(first, line) else { return "expected \"\(first)\", found \"\(line)\"" }
    return match(wanted.dropFirst(), found.dropFirst())
  }

  private static func matches(_ pattern: String, _ line: String) -> Bool {
    matchesText(pattern, line) || matchesNumbers(words(pattern), words(line))
  }

  private static func words(_ line: String) -> [Substring] { line.split(separator: " ") }

  private static func matchesNumbers(_ wanted: [Substring], _ found: [Substring]) -> Bool {
    guard wanted.count == found.count else { return false }
    return wanted.indices.allSatisfy { index in
      let (a, b) = (wanted[index], found[index])
      if a == b || a == "..." { return true }
      guard let x = Double(a.trimmingSuffix(while: "%,".contains)),
        let y = Double(b.trimmingSuffix(while: "%,".contains))
      else { return false }
      if index + 1 < wanted.count, wanted[index + 1].hasPrefix("ms") { return true }
      return a.contains(".") && abs(x - y) <= 0.05 + 0.05 * abs(x)
    }
  }

  private static func matchesText(_ pattern: String, _ line: String) -> Bool {
    let parts = pattern.components(separatedBy: "...").map { NSRegularExpression.escapedPattern(for: $0) }
    let regex = "^" + parts.joined(separator: ".*") + "\\s*$"
    return line.range(of: regex, options: .regularExpression) != nil
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
    var rest = self
    while let last = rest.last, predicate(last) { rest.removeLast() }
    return rest
  }
}
