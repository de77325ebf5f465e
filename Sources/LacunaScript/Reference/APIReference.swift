public import LacunaEngine

/// The Lua API as its LuaCATS files describe it: looked up by name, for people.
public struct APIReference: Sendable {
  package let files: [MetaFile]

  /// - Parameter folder: with lacuna.lua and lacuna-test.lua: plugins/meta.
  /// - Throws: as `MetaFile.init`; `malformed` also for a type that is mentioned and declared nowhere.
  public init(folder: String) throws(LacunaError) {
    let paths = ["lacuna", "lacuna-test"].map { "\(folder)/\($0).lua" }
    var files: [MetaFile] = []
    for path in paths { files.append(try MetaFile(path: path)) }
    for file in files {
      if let unknown = file.undeclared(besides: files).first {
        throw LacunaError(
          .malformed,
          "\(file.path):\(unknown.line): expected a type that is declared, found \(unknown.name)"
            + NearestName.hint(unknown.name, in: files.flatMap { $0.classes.map(\.name) }))
      }
    }
    self.files = files
  }

  /// The files that ship with Lacuna.
  /// - Throws: `notFound` where nothing is installed beside the command; as `init(folder:)`.
  public static func installed() throws(LacunaError) -> APIReference {
    guard let plugins = ModelDirectories.plugins() else {
      throw LacunaError(
        .notFound, "meta/lacuna.lua: not found: no plugins beside the command; `make install` puts them")
    }
    return try APIReference(folder: plugins + "/meta")
  }

  package var entries: [MetaFile.Entry] { files.flatMap(\.entries) }

  /// Names that `find` knows, as they are shown.
  public var names: [String] { entries.map(\.title) + SamplerChain.catalogue.map(\.name) }

  /// Every function in a line, under the titles of its page.
  public var index: [String] {
    let width = files.flatMap(\.functions).map(\.signature.count).max() ?? 0
    return files.flatMap(\.sections).flatMap { section in
      ["\(section.title)"]
        + section.entries.compactMap { entry in
          guard case .function(let function) = entry else { return nil }
          return "  \(function.signature.padding(to: min(width, 40)))  \(entry.summary)"
        }
    } + ["Native sampler stages"] + stages.map { "  \($0)" }
  }

  /// Every native sampler stage in a line.
  public var stages: [String] {
    let width = SamplerChain.catalogue.map(\.name.count).max() ?? 0
    return SamplerChain.catalogue.map { "\($0.name.padding(to: width))  \($0.meaning)" }
  }

  /// What a word stands for: a function, a type or a native sampler stage.
  ///
  /// "Session:append", "session.append" and "append" are alike; a word that several things end with gives all of them.
  /// - Returns: one text for each, for a terminal.
  public func help(_ word: String) -> [String] {
    let key = Self.fold(word)
    for matches in [\MetaFile.Entry.fullKeys, \MetaFile.Entry.shortKeys] {
      let found = entries.filter { $0[keyPath: matches].contains(key) }
      if !found.isEmpty { return found.map { ReferenceText(self).text(of: $0) } }
    }
    let stage = SamplerChain.catalogue.filter { Self.fold($0.name) == key }
    return stage.map(ReferenceText.text(of:))
  }

  /// Titles of what mentions a word somewhere.
  public func mentions(of word: String) -> [String] {
    let word = word.lowercased()
    return entries.filter { entry in
      entry.title.lowercased().contains(word) || entry.text.lowercased().contains(word)
    }.map { "\($0.title)  \($0.summary)" }
  }

  /// " (did you mean "Session:append"?)", or nothing.
  public func hint(_ word: String) -> String { NearestName.hint(word, in: names + shortNames) }

  private var shortNames: [String] { files.flatMap(\.functions).map(\.name) }

  static func fold(_ word: String) -> String {
    String(word.lowercased().map { $0 == ":" ? "." : $0 == "-" ? "_" : $0 })
  }

  public var functionCount: Int { files.flatMap(\.functions).count }

  /// What this version binds beside what the files describe.
  /// - Throws: what keeps a state from being made.
  public func differencesFromBindings() throws -> (undescribed: [String], unbound: [String]) {
    let environment = ScriptEnvironment { _ in throw LacunaError(.unsupported, "no model is loaded here") }
    let names = try ScriptThread.run { Result { try ScriptRuntime(environment).state.registeredNames } }.get()
    return differences(from: names)
  }

  /// Bound functions that no file describes, and described ones that are not bound: an installation of two halves.
  /// - Parameter bound: as `LuaState.registeredNames`.
  package func differences(from bound: [String]) -> (undescribed: [String], unbound: [String]) {
    let described = Set(files.flatMap(\.functions).map { "\($0.owner.lowercased()):\($0.name)" })
    let methods = Set(bound.filter { !$0.contains(":__") && !$0.contains(":@") })
    let fields = Set(
      files.flatMap(\.classes).flatMap { type in type.fields.map { "\(type.name.lowercased()):\($0.name)" } })
    return (
      methods.subtracting(described).subtracting(fields).sorted(),
      described.filter { !Self.isNative($0) }.subtracting(methods).sorted()
    )
  }

  /// Implemented in C, where the host has no list of them.
  private static func isNative(_ name: String) -> Bool {
    ["lacuna:error", "lacuna:write", "lacuna:rng", "lacuna.session:close", "lacuna.stream:close", "lacuna.patch:close"]
      .contains(name)
      || ["lacuna.vec:", "lacuna.set:", "lacuna.rng:", "lacuna.test:"].contains { name.hasPrefix($0) }
  }
}

extension MetaFile.Entry {
  /// As it is shown: "Session:append", "lacuna.SessionOptions".
  package var title: String {
    switch self {
    case .type(let type): type.name
    case .function(let function): function.title
    case .alias(let alias): alias.name
    }
  }

  package var text: String {
    switch self {
    case .type(let type): type.text
    case .function(let function): function.text
    case .alias(let alias): alias.text
    }
  }

  /// The first sentence.
  package var summary: String {
    let paragraph = text.split(separator: "\n").prefix { !$0.hasPrefix("```") }.joined(separator: " ")
    guard let end = paragraph.firstRange(of: ". ") else { return paragraph }
    return String(paragraph[..<end.lowerBound]) + "."
  }

  /// Under which it is found first: with its owner.
  var fullKeys: [String] {
    let key = APIReference.fold(title)
    return key.hasPrefix("lacuna.") ? [key, String(key.dropFirst("lacuna.".count))] : [key, "lacuna.\(key)"]
  }

  /// Its last word.
  var shortKeys: [String] { [APIReference.fold(title).split(separator: ".").last.map(String.init) ?? ""] }
}
