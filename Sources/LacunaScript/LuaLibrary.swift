import CLuaBridge

/// The Lua library that this process is linked with.
package enum LuaLibrary {
  /// "Lua 5.4.4".
  package static let release: String = {
    let words = String(cString: lb_library_ident()).split(separator: " ")
    guard let name = words.firstIndex(of: "Lua"), name + 1 < words.count else { return "Lua, release unknown" }
    return "Lua \(words[name + 1])"
  }()

  /// Memory bugs of this release that a script can reach; empty for releases without any that we know of.
  package static var knownBugs: [String] {
    let numbers = release.dropFirst("Lua ".count).split(separator: ".").compactMap { Int($0) }
    // All three were there in 5.4.4 and are gone in 5.4.8; releases between are not told apart.
    guard numbers.count == 3, numbers[0] == 5, numbers[1] == 4, numbers[2] < 8 else { return [] }
    return [
      "a __concat metamethod that grows the stack",
      "long chains of coroutine.close inside __close",
      "a weak metatable with __newindex during an emergency collection",
    ]
  }
}
