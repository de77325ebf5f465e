internal import CLuaBridge

/// A Lua value that the host holds. Letting go of it is deferred to the state's next safe point, so that it may happen
/// anywhere, inside a finalizer too.
package final class LuaReference {
  private weak var state: LuaState?
  private(set) var ref: lb_ref

  init(_ ref: lb_ref, in state: LuaState) {
    self.ref = ref
    self.state = state
  }

  deinit { state?.release(ref) }

  /// Whether what is held is nil.
  var isNil: Bool { ref < 0 }

  func isHeld(in other: LuaState) -> Bool { state === other }

  /// The state that the value lives in, which is the one to call a function in.
  /// - Throws: `closed` where that is gone.
  func home() throws -> LuaState {
    guard let state else {
      throw HostFault.error(code: "closed", message: "the Lua state of this function or table was closed")
    }
    return state
  }

  /// - Throws: unless the value lives in `other`: in any other state its number is that of something else.
  func check(for other: LuaState) throws {
    guard isHeld(in: other) else {
      let home = try home()
      throw HostFault.error(
        code: "bad_argument",
        message: "a function of \(home.owner) cannot be used in \(other.owner): what crosses is plain data and handles")
    }
  }

  /// The reference, which is the caller's from now on.
  func takeRef() -> lb_ref {
    defer { ref = lb_ref(LB_NO_REF) }
    return ref
  }
}

/// What views of one piece of memory watch; closing it makes all of them stale.
final class ViewSource {
  let raw: OpaquePointer

  /// - Parameter epoch: whose change makes views stale; nil for a source that is told by `advance`. It must stay
  ///   readable until `close` or deinit.
  init(epoch: UnsafePointer<UInt64>? = nil) {
    guard let raw = lb_source_make(epoch) else { fatalError("out of memory") }
    self.raw = raw
  }

  private var isClosed = false

  /// Makes every view that was made so far stale.
  func advance() { lb_source_advance(raw) }

  func close() {
    guard !isClosed else { return }
    isClosed = true
    lb_source_close(raw)
  }

  deinit { close() }
}
