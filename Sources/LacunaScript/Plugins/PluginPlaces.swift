public import LacunaEngine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Where plugins lie on this machine, and which project folders the user trusts.
public enum PluginPlaces {
  /// The search of the command line: --plugin, ./plugins if it is trusted, the user's, the installed ones.
  /// - Throws: what is wrong with ./plugins.lock.
  public static func search(given: [String]) throws(LacunaError) -> PluginSearch {
    var search = PluginSearch()
    search.given = given
    let installed = ModelDirectories.plugins()
    if isDirectory("plugins"), let project = resolved("plugins"), project != installed.flatMap(resolved) {
      if isTrusted(project) {
        search.places.append((project, .project))
      } else {
        search.untrusted = "./plugins"
      }
    }
    if let user = userFolder { search.places.append((user, .user)) }
    if let installed { search.places.append((installed, .installed)) }
    search.lock = try PluginLock.read()
    return search
  }

  /// `$XDG_DATA_HOME/lacuna`, else `~/.local/share/lacuna`; it need not exist. nil without a home directory.
  static var dataFolder: String? {
    // The base directory specification has relative paths ignored.
    if let xdg = variable("XDG_DATA_HOME"), xdg.hasPrefix("/") { return xdg + "/lacuna" }
    return variable("HOME").map { $0 + "/.local/share/lacuna" }
  }

  public static var userFolder: String? { dataFolder.map { $0 + "/plugins" } }

  // MARK: Trust

  private static var trustFile: String? { dataFolder.map { $0 + "/trusted" } }
  private static let greatestSize = 1 << 20

  /// The absolute paths that are trusted, a line each.
  private static func trusted() -> [String] {
    guard let file = trustFile, let bytes = try? readFile(file, limit: greatestSize) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  static func isTrusted(_ path: String) -> Bool { trusted().contains(path) }

  /// Trusts the plugins of a folder from now on, whatever they become.
  /// - Returns: the folder's absolute path.
  /// - Throws: `notFound`, or `resource` where the note cannot be written.
  public static func trust(_ folder: String) throws(LacunaError) -> String {
    guard isDirectory(folder), let path = resolved(folder), !path.contains("\n") else {
      throw LacunaError(.notFound, "\(folder): no such folder")
    }
    guard let data = dataFolder, let file = trustFile else {
      throw LacunaError(.resource, "no home directory to keep the note in: set HOME or XDG_DATA_HOME")
    }
    let known = trusted()
    guard !known.contains(path) else { return path }
    try makeFolder(data)
    try writeFile((known + [path]).joined(separator: "\n") + "\n", to: file)
    return path
  }

  /// The path without links, "." and ".."; nil where nothing is there.
  static func resolved(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name), value[0] != 0 else { return nil }
    return String(cString: value)
  }
}

/// Makes a folder and those above it.
package func makeFolder(_ path: String) throws(LacunaError) {
  var made = path.hasPrefix("/") ? "/" : ""
  for part in path.split(separator: "/") {
    made += part
    guard mkdir(made, 0o755) == 0 || isDirectory(made) else {
      throw LacunaError(.resource, "\(made): cannot make the folder: \(String(cString: strerror(errno)))")
    }
    made += "/"
  }
}

/// Writes a text, whole or not at all.
package func writeFile(_ text: String, to path: String) throws(LacunaError) {
  let file = try AtomicFile(path: path)
  var failure: LacunaError?
  Array(text.utf8).withUnsafeBytes { bytes in
    do throws(LacunaError) { try file.write(bytes) } catch { failure = error }
  }
  if let failure { throw failure }
  try file.commit()
}
