package import LacunaEngine

/// What a LuaCATS file (`---@meta`) declares: the one description of the Lua API, which editors complete from, and
/// `lacuna doc`, the REPL's help and docs/reference are made of.
package struct MetaFile: Sendable {
  /// A parameter, a result or a field.
  package struct Value: Sendable {
    /// Of a result, "" where it has none.
    package let name: String
    package let type: LuaType
    package let isOptional: Bool
    package let text: String
  }

  package struct Function: Sendable {
    /// The class it is a method or a field of: "lacuna.Session".
    package let owner: String
    /// As a script writes it: "Session:append", "lacuna.json.encode".
    package let title: String
    package let name: String
    package let isMethod: Bool
    package var parameters: [Value] = []
    package var results: [Value] = []
    /// Paragraphs and fenced examples, a line a line.
    package let text: String
    package let line: Int
  }

  package struct Class: Sendable {
    package let name: String
    /// "userdata", or the class that it adds fields to.
    package let parent: String?
    package var fields: [Value] = []
    /// "bor(lacuna.Set): lacuna.Set", "len: integer".
    package var operators: [String] = []
    package let text: String
    package let line: Int

    /// Memory or identity of the host's, and not a plain table.
    package var isHandle: Bool { parent == "userdata" }
  }

  package struct Alias: Sendable {
    package let name: String
    package let type: LuaType
    package let text: String
    package let line: Int
  }

  package enum Entry: Sendable {
    case type(Class)
    case function(Function)
    case alias(Alias)
  }

  /// What stands under a comment "-- # Title", which may go on in further comments.
  package struct Section: Sendable {
    package let title: String
    package var text: String
    package var entries: [Entry] = []
  }

  package let path: String
  /// "lacuna", of `---@meta lacuna`.
  package let module: String
  package private(set) var sections: [Section] = []
  /// Every type that is named, with the line.
  package private(set) var mentions: [(name: String, line: Int)] = []

  /// - Throws: `unreadable`; `malformed` with the line.
  package init(path: String) throws(LacunaError) {
    let text = String(decoding: try ScriptFile.read(path), as: UTF8.self)
    var reader = MetaReader(path: path)
    try reader.read(text)
    self.path = path
    module = reader.module
    sections = reader.sections
    mentions = reader.mentions
  }

  package var entries: [Entry] { sections.flatMap(\.entries) }

  package var functions: [Function] { entries.compactMap { if case .function(let it) = $0 { it } else { nil } } }
  package var classes: [Class] { entries.compactMap { if case .type(let it) = $0 { it } else { nil } } }
  package var aliases: [Alias] { entries.compactMap { if case .alias(let it) = $0 { it } else { nil } } }

  /// What the names of types stand for: those that are mentioned and declared nowhere, with their lines.
  package func undeclared(besides others: [MetaFile] = []) -> [(name: String, line: Int)] {
    let known = ([self] + others).flatMap { $0.classes.map(\.name) + $0.aliases.map(\.name) }
    let declared = LuaType.builtIn.union(known)
    return mentions.filter { !declared.contains($0.name) }
  }
}
