/// An object of the host that scripts hold by a handle.
package protocol ScriptObject: AnyObject {
  static var scriptType: ScriptType { get }
  /// The script asked for it: `object:close()` or the end of a `<close>` variable.
  func close()
}

extension ScriptObject {
  func close() {}
}

/// Types of handles, in the order in which every state registers them.
package enum ScriptType: String, CaseIterable {
  case model, vocab, session, snapshot, chain, stream, compiledgrammar, matcher, patch

  var name: String { "lacuna.\(rawValue)" }
}
