internal import CLuaBridge

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
package enum ScriptType: UInt32, CaseIterable {
  case model, vocab, session, snapshot, chain, stream, compiledgrammar, matcher, patch

  var name: String { "lacuna.\(self)" }
  /// As the bridge counts them.
  var number: UInt32 { UInt32(LB_FIRST_TYPE) + rawValue }
}
