internal import CLuaBridge
internal import LacunaEngine

/// What a host function gives back.
enum HostAnswer {
  case now([LuaValue])
  case later(WaitingCall)
}

/// A host call that waits for forward passes: the work that needs them, and what the call gives when that is done.
///
/// In a call that can be left (`ScriptCall`) whoever owns that call has the passes made, together with others'. Anywhere
/// else they are made at once, for this call alone.
final class WaitingCall {
  private let work: any Work
  private let results: (Result<Void, any Error>) throws -> [LuaValue]
  private var outcome: Result<Void, any Error>?
  /// Called when the call ends.
  var onCompletion: () -> Void = {}

  /// - Parameter results: is told whether the work was done or what it failed with.
  init(_ work: any Work, outcome results: @escaping (Result<Void, any Error>) throws -> [LuaValue]) {
    self.work = work
    self.results = results
  }

  convenience init(_ work: any Work, results: @escaping () throws -> [LuaValue]) {
    self.init(work) {
      try $0.get()
      return try results()
    }
  }

  /// The sessions cannot be changed while the call waits.
  convenience init(_ work: any Work, holding sessions: [SessionObject], results: @escaping () throws -> [LuaValue]) {
    let hold = SessionHold(sessions)
    self.init(work) { outcome in
      hold.end()
      try outcome.get()
      return try results()
    }
  }

  /// As `Work.advance`; what it fails with is raised where the call was made.
  func advance() -> [PassRequest]? {
    guard outcome == nil else { return nil }
    do {
      if let requests = try work.advance() { return requests }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    return nil
  }

  /// What the call gives. Makes the passes that are missing.
  func complete() throws -> [LuaValue] {
    defer { onCompletion() }
    return try results(outcome ?? Result { try work.run() })
  }
}

/// A call of Lua under way that can be left, and where it is.
final class LuaTurns {
  let thread: LuaReference
  /// When it exceeds the limit of its state for a call, in nanoseconds; the bridge's business. 0 for never.
  var deadline: UInt64 = 0
  /// What it was left for.
  var waiting: WaitingCall?

  init(thread: LuaReference) { self.thread = thread }

  func put(off time: Duration) { deadline += UInt64(max(time / .nanoseconds(1), 0)) }
}

/// A call of Lua as a piece of work: where its host calls wait for passes, whoever has those made lets it go on.
final class ScriptCall: Work {
  private unowned let state: LuaState
  private let function: LuaReference
  private let arguments: [LuaValue]
  private let keepsValues: Bool
  private var turns: LuaTurns?
  /// How many calls wait for passes together: of the time that passes then, each has its part on its limit.
  var sharers: () -> Int = { 1 }
  private var waitingSince: ContinuousClock.Instant?
  /// Once it is done.
  private(set) var results: [LuaValue] = []

  /// - Parameter keepsValues: results are references, but for nil; otherwise plain data and handles.
  init(_ function: LuaReference, _ arguments: [LuaValue], keepsValues: Bool = false, in state: LuaState) {
    self.state = state
    self.function = function
    self.arguments = arguments
    self.keepsValues = keepsValues
  }

  /// - Throws: as `LuaState.call`.
  func advance() throws -> [PassRequest]? {
    let turns = try turns ?? state.beginTurns(function, arguments)
    self.turns = turns
    if let waitingSince { turns.put(off: (ContinuousClock.now - waitingSince) * (1 - 1 / Double(max(sharers(), 1)))) }
    waitingSince = nil
    while true {
      // Nothing of its Lua runs while it waits, and callbacks have limits of their own.
      try state.checkTime(of: turns)
      if let requests = turns.waiting?.advance() {
        if turns.deadline != 0 { waitingSince = .now }
        return requests
      }
      if let results = try state.goOn(turns, keepsValues: keepsValues) {
        self.results = results
        return nil
      }
    }
  }
}

/// Work that alone may change a session until it is done: whenever it waits nobody else may.
final class HoldingWork: Work {
  private let work: any Work
  private let session: SessionObject
  private var hold: SessionHold?

  init(_ work: any Work, on session: SessionObject) {
    self.work = work
    self.session = session
  }

  func advance() throws -> [PassRequest]? {
    hold = nil
    guard let requests = try work.advance() else { return nil }
    hold = SessionHold([session])
    return requests
  }
}

/// Keeps sessions as they are until it ends or is gone.
private final class SessionHold {
  private var sessions: [SessionObject]

  init(_ sessions: [SessionObject]) {
    self.sessions = sessions
    for session in sessions { session.hold() }
  }

  func end() {
    for session in sessions { session.letGo() }
    sessions = []
  }

  deinit { end() }
}

/// Work that is made when it is first wanted: what it takes to begin may be refused until then.
final class LateWork: Work {
  private var make: (() throws -> any Work)?
  private var work: (any Work)?

  init(_ make: @escaping () throws -> any Work) { self.make = make }

  func advance() throws -> [PassRequest]? {
    if let make {
      self.make = nil
      work = try make()
    }
    return try work?.advance()
  }
}
