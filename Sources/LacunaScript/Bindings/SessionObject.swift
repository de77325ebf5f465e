internal import LacunaEngine

/// One timeline, as scripts hold it.
package final class SessionObject: ScriptObject {
  package static var scriptType: ScriptType { .session }
  let model: ModelObject
  let seed: UInt64
  let stream: UInt64
  private var session: Session?
  private var source: ViewSource
  private var forkCount: UInt64 = 0
  /// Where the session's memory counts; nil for a script that is trusted.
  private let account: ScriptAccount?
  /// Those that the session was made with; they stand beside every generation.
  var hooks: HookSet?
  /// Of the last generation that speculated.
  var speculation: Speculation?
  /// The generation that is under way: nobody else may change the tokens meanwhile.
  private(set) weak var generation: RunningGeneration?

  init(session: Session, model: ModelObject, seed: UInt64, stream: UInt64, account: ScriptAccount?) {
    self.session = session
    self.model = model
    self.seed = seed
    self.stream = stream
    self.account = account
    account?.track(session)
    source = ViewSource(epoch: session.epochAddress)
  }

  /// Keys and values go at once, whoever still holds views.
  package func close() {
    source.close()
    session = nil
  }

  func forReading() throws -> Session {
    guard let session else { throw HostFault.error(code: "closed", message: "attempt to use a closed session") }
    return session
  }

  func forChanging() throws -> Session {
    if let generation, generation.isUnderWay {
      throw HostFault.error(
        code: "busy", message: "the session is generating; it can be read, but not changed, until that ends")
    }
    guard holderCount == 0 else {
      throw HostFault.error(
        code: "busy", message: "another item of lacuna.parallel waits for the session; it cannot be changed meanwhile")
    }
    return try forReading()
  }

  func begin(_ generation: RunningGeneration) { self.generation = generation }

  /// Calls that wait for passes over it: nobody may change its tokens meanwhile.
  private var holderCount = 0
  func hold() { holderCount += 1 }
  func letGo() { holderCount -= 1 }

  func logitsView() throws -> LuaValue { view(of: try forReading().borrowedLogits()) }

  /// A frozen Vec over memory of the session, until the session moves on.
  func view(of floats: UnsafeBufferPointer<Float>) -> LuaValue {
    .view(
      LuaView(floats: UnsafeMutableBufferPointer(mutating: floats), source: source, isWritable: false, anchor: self))
  }

  /// Takes over what `other` holds, onto its own account; views of the logits so far are stale, and `other` is closed.
  func adopt(_ other: SessionObject) throws {
    guard other !== self else { return }
    _ = try forChanging()
    let taken = try other.forChanging()
    other.close()
    other.account?.drop(taken)
    account?.track(taken)
    source.close()
    session = taken
    source = ViewSource(epoch: taken.epochAddress)
  }

  /// - Parameter account: of the state that forks, which need not be the one that made the session.
  func fork(account: ScriptAccount?) throws -> SessionObject {
    let copy = try forReading().fork()
    forkCount += 1
    copy.onProgress = try forReading().onProgress
    let fork = SessionObject(
      session: copy, model: model, seed: seed, stream: SeededRandom.hash(stream, forkCount), account: account)
    fork.hooks = hooks
    return fork
  }
}

/// A session's past, kept apart from it.
final class SnapshotObject: ScriptObject {
  static var scriptType: ScriptType { .snapshot }
  let session: Session
  let seed: UInt64
  let stream: UInt64

  init(session: Session, seed: UInt64, stream: UInt64) {
    self.session = session
    self.seed = seed
    self.stream = stream
  }
}
