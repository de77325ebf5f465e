import CLuaBridge

/// The Lua library that this process is linked with.
package enum LuaLibrary {
  /// "Lua 5.4.4".
  package static let release = "Lua 5.4"

  /// Memory bugs of this release that a script can reach; empty for releases without any that we know of.
  package static var knownBugs: [String] { [] }
}
