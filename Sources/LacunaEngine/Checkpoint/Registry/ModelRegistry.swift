#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a user may write for `--model`: the name of a model that ships with Lacuna or lies in the model cache, a
/// directory, or a file.
///
/// Shipped models are `models/NAME/` in the share directory; cached ones are `NAME/` or `NAME.gguf` in the cache.
/// A name wins over a path in the working directory; "./NAME" always means the path.
public struct ModelRegistry: Sendable {
  public enum Kind: String, Sendable {
    /// Comes with Lacuna.
    case shipped
    /// In the model cache.
    case cached
    /// Given by its path.
    case path
  }

  public struct Entry: Sendable, Equatable {
    public let name: String
    public let path: String
    public let kind: Kind
  }

  public static let defaultName = "demo"

  /// nil where none was found.
  public let shareDirectory: String?
  public let cacheDirectory: String?

  /// The directories of this process: see `ModelDirectories`.
  public init() {
    self.init(shareDirectory: ModelDirectories.share(), cacheDirectory: ModelDirectories.cache())
  }

  public init(shareDirectory: String?, cacheDirectory: String?) {
    self.shareDirectory = shareDirectory
    self.cacheDirectory = cacheDirectory
  }

  /// Every model with a name, shipped ones first, sorted. A cached model of a shipped one's name is hidden by it.
  public func entries() -> [Entry] {
    var found: [Entry] = []
    if let shareDirectory { found += models(in: shareDirectory + "/models", .shipped, files: false) }
    let shipped = Set(found.map(\.name))
    if let cacheDirectory {
      found += models(in: cacheDirectory, .cached, files: true).filter { !shipped.contains($0.name) }
    }
    return found
  }

  /// - Parameter reference: a name or a path; nil or empty for the default model.
  /// - Throws: `notFound`, naming the nearest names.
  public func resolve(_ reference: String?) throws(LacunaError) -> Entry {
    let reference = reference.flatMap { $0.isEmpty ? nil : $0 } ?? Self.defaultName
    let entries = entries()
    if let entry = entries.first(where: { $0.name == reference }) { return entry }
    guard !reference.utf8.contains(0) else { throw LacunaError(.notFound, "a model's name cannot contain a zero byte") }
    if fileExists(reference) {
      return Entry(name: Self.name(ofPath: reference), path: reference, kind: .path)
    }
    throw notFound(reference, among: entries.map(\.name))
  }

  /// Whether a name is safe to use as a file's: letters, digits, "-", "_" and ".", not first.
  public static func isSafe(name: String) -> Bool {
    guard let first = name.utf8.first, first != UInt8(ascii: "."), first != UInt8(ascii: "-"), name.utf8.count <= 128
    else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
  }

  private func models(in directory: String, _ kind: Kind, files: Bool) -> [Entry] {
    let names = (try? directoryEntries(directory)) ?? []
    return names.compactMap { name in
      guard Self.isSafe(name: name) else { return nil }
      let path = "\(directory)/\(name)"
      if fileExists("\(path)/config.json") { return Entry(name: name, path: path, kind: kind) }
      guard files, name.hasSuffix(".gguf"), name.utf8.count > 5, !isDirectory(path) else { return nil }
      return Entry(name: String(name.dropLast(5)), path: path, kind: kind)
    }
  }

  private func notFound(_ reference: String, among names: [String]) -> LacunaError {
    var message = "\(reference.clipped): no such model, directory or file"
    let near = NearestName.several(reference, in: names)
    if !near.isEmpty {
      message += "; did you mean \(near.joined(separator: " or "))?"
    } else if names.isEmpty {
      message +=
        "; no models are installed (looked in \(shareDirectory ?? "no share directory") and \(cacheDirectory ?? "no cache"))"
    } else {
      message += "; known models: \(names.joined(separator: ", "))"
    }
    return LacunaError(.notFound, message)
  }

  /// "/models/llama.gguf/" is "llama".
  private static func name(ofPath path: String) -> String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.hasSuffix(".gguf") && last.utf8.count > 5 ? String(last.dropLast(5)) : last
  }
}
