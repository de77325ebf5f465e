/// What a script failed with.
public struct ScriptError: Error, Sendable, CustomStringConvertible {
  /// "error" for what the script raised itself, "syntax", "cancelled", "memory", or the host's code
  /// ("context_full", "stale_view").
  public let code: String
  public let message: String
  /// "script.lua:12", where it is known and not part of the message.
  public let place: String?
  public let traceback: String?
  /// Whose Lua it was; nil for a script's.
  public let plugin: String?

  public init(
    code: String, message: String, place: String? = nil, traceback: String? = nil, plugin: String? = nil
  ) {
    self.code = code
    self.message = message
    self.place = place
    self.traceback = traceback
    self.plugin = plugin
  }

  /// "script.lua:12: message", after "plugin NAME: " where it came from one.
  public var description: String {
    let text = if let place, !message.hasPrefix(place) { "\(place): \(message)" } else { message }
    // What came through several states says whose it is already.
    guard let plugin, !text.hasPrefix("plugin \(plugin): ") else { return text }
    return "plugin \(plugin): \(text)"
  }
}

/// Raised by a host function: becomes an error table in Lua.
enum HostFault: Error {
  /// "bad argument #n to 'name' (message)"; counted from 1, the receiver included.
  case argument(Int, String)
  case error(code: String, message: String)
}

/// A nested call of Lua failed. Passed on, it is raised again as the very value that it was.
struct LuaFailure: Error, @unchecked Sendable {
  // SAFETY: never leaves the thread of its state; the conformance is what Error asks for.
  let value: LuaReference
  let error: ScriptError
}
