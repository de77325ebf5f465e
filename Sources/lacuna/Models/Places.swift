#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where Lacuna's files are: what ships with it, and what it has fetched.
enum Places {
  /// The directory with `models/`, `data/` and `plugins/` that belong to this command: `$LACUNA_SHARE`, else
  /// `share/lacuna` beside the command's `bin`, else `share/lacuna` of the checkout that it was built in.
  /// nil if there is none.
  static let share: String? = {
    if let named = environment("LACUNA_SHARE") { return isDirectory(named) ? named : nil }
    var directory = parent(of: executable)
    // .build/x86_64-unknown-linux-gnu/release/lacuna is four levels below the checkout.
    for _ in 0..<5 where directory != "/" && !directory.isEmpty {
      let candidate = directory + "/share/lacuna"
      if isDirectory(candidate + "/models") { return candidate }
      directory = parent(of: directory)
    }
    for candidate in ["/usr/local/share/lacuna", "/usr/share/lacuna"] where isDirectory(candidate + "/models") {
      return candidate
    }
    return nil
  }()

  /// Models that were fetched: `$XDG_CACHE_HOME/lacuna/models`, by default below `~/.cache`.
  static var cachedModels: String { cache + "/models" }

  static var cache: String {
    // The specification has relative paths ignored.
    if let named = environment("XDG_CACHE_HOME"), named.hasPrefix("/") { return named + "/lacuna" }
    return (environment("HOME") ?? ".") + "/.cache/lacuna"
  }

  static let executable: String = {
    #if os(Linux)
      if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") { return path }
    #elseif canImport(Darwin)
      var size: UInt32 = 4096
      var buffer = [CChar](repeating: 0, count: Int(size))
      if _NSGetExecutablePath(&buffer, &size) == 0, let path = realpath(buffer, nil) {
        defer { free(path) }
        return String(cString: path)
      }
    #endif
    return CommandLine.arguments.first ?? "lacuna"
  }()

  static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  static func isDirectory(_ path: String) -> Bool {
    var directory = false
    #if canImport(FoundationEssentials)
      return FileManager.default.fileExists(atPath: path, isDirectory: &directory) && directory
    #else
      var flag: ObjCBool = false
      directory = FileManager.default.fileExists(atPath: path, isDirectory: &flag) && flag.boolValue
      return directory
    #endif
  }

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func lastComponent(of path: String) -> String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? path.dropLast() : path[...]
    return String(trimmed[(trimmed.lastIndex(of: "/").map { trimmed.index(after: $0) } ?? trimmed.startIndex)...])
  }
}
