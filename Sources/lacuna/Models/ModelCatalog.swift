import LacunaEngine

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The models that have a name: those that ship with Lacuna, and those that `lacuna pull` and the user have put into
/// the model cache.
struct ModelCatalog {
  struct Entry {
    let name: String
    let path: String
    /// "built in" or "cache".
    let origin: String
  }

  /// By name; what ships comes first, and hides a cached model of the same name.
  let entries: [Entry]

  init() {
    var entries: [Entry] = []
    if let share = Places.share { entries += Self.list(share + "/models", origin: "built in") }
    for entry in Self.list(Places.cachedModels, origin: "cache") where !entries.contains(where: { $0.name == entry.name }) {
      entries.append(entry)
    }
    self.entries = entries
  }

  /// The checkpoint that `--model` means. A word with a slash in it is a path; any other is a name, or failing that a
  /// path beside the working directory.
  /// - Throws: `notFound` with the names that exist.
  func resolve(_ word: String) throws(LacunaError) -> (name: String, path: String) {
    if !word.contains("/"), let entry = entries.first(where: { $0.name == word }) { return (entry.name, entry.path) }
    if Places.exists(word) { return (Self.name(of: word), word) }
    if word.contains("/") { throw LacunaError(.notFound, "\(word): no such directory or file") }
    if Pull.sources.keys.contains(word) {
      throw LacunaError(.notFound, "the model \"\(word)\" is not here yet; `lacuna pull \(word)` fetches it")
    }
    let known = entries.map(\.name).joined(separator: ", ")
    throw LacunaError(
      .notFound,
      "no model is called \"\(word)\", and no file of that name is here; "
        + (known.isEmpty ? "none is installed" : "known names: \(known)"))
  }

  /// "DIR/smollm2.gguf" and "DIR/smollm2" are both called "smollm2".
  private static func name(of path: String) -> String {
    let last = Places.lastComponent(of: path)
    return last.hasSuffix(".gguf") ? String(last.dropLast(5)) : last
  }

  private static func list(_ directory: String, origin: String) -> [Entry] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.sorted().compactMap { name in
      let path = directory + "/" + name
      // Names that begin with a dot are downloads under way.
      guard !name.hasPrefix("."), name.hasSuffix(".gguf") || Places.exists(path + "/config.json") else { return nil }
      return Entry(name: Self.name(of: path), path: path, origin: origin)
    }
  }
}
