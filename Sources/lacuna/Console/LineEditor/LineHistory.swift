import LacunaEngine
import LacunaScript

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What was typed before, kept in a file: an entry a line, with its own line breaks and backslashes escaped.
struct LineHistory {
  private static let capacity = 1000

  private(set) var entries: [String] = []
  private let path: String?

  /// - Parameter name: of the file in `$XDG_STATE_HOME/lacuna` (`~/.local/state/lacuna`). A file that cannot be read is
  ///   taken for an empty one.
  init(named name: String) {
    path = Self.folder.map { "\($0)/\(name)" }
    guard let path, let bytes = try? readFile(path, limit: 1 << 22) else { return }
    entries = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { Self.unescaped($0) }
      .suffix(Self.capacity)
  }

  mutating func add(_ entry: String) {
    guard !entry.isEmpty, entry != entries.last else { return }
    entries.append(entry)
    if entries.count > Self.capacity { entries.removeFirst() }
  }

  /// - Throws: what keeps the file from being written.
  func save() throws(LacunaError) {
    guard let path, let folder = Self.folder else { return }
    if !isDirectory(folder) { try makeFolder(folder) }
    try writeFile(entries.map { Self.escaped($0) + "\n" }.joined(), to: path)
  }

  private static var folder: String? {
    func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
    // The base directory specification has relative paths ignored.
    if let state = variable("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/lacuna" }
    return variable("HOME").map { $0 + "/.local/state/lacuna" }
  }

  private static func escaped(_ entry: String) -> String {
    entry.map { $0 == "\\" ? "\\\\" : $0 == "\n" ? "\\n" : String($0) }.joined()
  }

  private static func unescaped(_ line: Substring) -> String {
    var text = ""
    var isEscaped = false
    for character in line {
      if isEscaped {
        text.append(character == "n" ? "\n" : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        text.append(character)
      }
    }
    return text
  }
}
