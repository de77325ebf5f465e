package import CLuaBridge
internal import LacunaEngine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

typealias HostFunction = (HostCall) throws -> HostAnswer

/// One Lua state with the host functions that it can call. Used from one thread at a time, but for `interrupt`.
///
/// The only type that calls the bridge to run Lua; every such call is protected on the other side.
package final class LuaState {
  package let raw: OpaquePointer
  private var functions: [HostFunction] = []
  /// Of every host function, by "owner:name"; a field's name has no "@" here.
  package private(set) var signatures: [String: String] = [:]
  private let hostBox: UnsafeMutableRawPointer
  /// Nil for a script that is trusted.
  package let policy: SandboxPolicy?
  /// Of a sandboxed script.
  let account: ScriptAccount?
  private var loggedBytes = 0
  /// Whose state it is, for errors; nil for a script's.
  var plugin: String?
  /// "the script", "plugin NAME".
  var owner: String { plugin.map { "plugin \($0)" } ?? "the script" }

  /// The host's side of callbacks, which may come while the state is being made or closed.
  fileprivate final class Host {
    weak var state: LuaState?
    var write: ((UnsafeRawBufferPointer) -> Void)?
  }

  /// - Parameters:
  ///   - memoryCap: bytes that Lua may hold; nil for no cap. A sandboxed state has its policy's.
  ///   - policy: what a sandboxed script may; nil for a script that is trusted.
  ///   - write: takes what print and lacuna.write print; nil for standard output.
  init(
    memoryCap: Int? = nil, policy: SandboxPolicy? = nil, seed: UInt64 = 0,
    write: ((UnsafeRawBufferPointer) -> Void)? = nil
  ) throws(ScriptError) {
    self.policy = policy
    account = policy.map { ScriptAccount($0) }
    let box = Host()
    box.write = write
    hostBox = Unmanaged.passRetained(box).toOpaque()
    var host = lb_host()
    host.context = hostBox
    host.call = { context, function, frame in
      guard let context, let frame, let state = Host.from(context).state else { return 1 }
      return state.dispatch(function, frame)
    }
    host.complete = { context, waiting, frame in
      guard let context, let waiting, let frame, let state = Host.from(context).state else { return 1 }
      return state.complete(Unmanaged<WaitingCall>.fromOpaque(waiting).takeUnretainedValue(), frame)
    }
    host.release = { context, _, object, closing in
      guard let object else { return }
      let reference = Unmanaged<AnyObject>.fromOpaque(object)
      if closing { (reference.takeUnretainedValue() as? any ScriptObject)?.close() }
      reference.release()
    }
    host.uniforms = { _, seed, stream, position, out, count in
      var random = SeededRandom(seed: seed, stream: stream, position: UInt32(truncatingIfNeeded: position))
      // The middles of 2^52 intervals: an open interval, so that logarithms are finite.
      for index in 0..<count { out?[index] = (Double(random.next() >> 12) + 0.5) * 0x1p-52 }
    }
    if write != nil {
      host.write = { context, bytes, count in
        guard let context else { return }
        Host.from(context).write?(UnsafeRawBufferPointer(start: bytes, count: count))
      }
    }
    guard let raw = Self.make(&host, memoryCap, policy, seed) else {
      Unmanaged<AnyObject>.fromOpaque(hostBox).release()
      throw ScriptError(code: "memory", message: "not enough memory for a Lua state")
    }
    self.raw = raw
    box.state = self
    for type in ScriptType.allCases {
      guard lb_add_type(raw, type.name) != 0 else {
        throw ScriptError(code: "memory", message: "not enough memory for the type \(type.name)")
      }
    }
  }

  private static func make(
    _ host: inout lb_host, _ memoryCap: Int?, _ policy: SandboxPolicy?, _ seed: UInt64
  ) -> OpaquePointer? {
    guard let policy else { return lb_state_make(&host, memoryCap ?? 0, seed) }
    func nanoseconds(_ milliseconds: Int?) -> UInt64 {
      guard let milliseconds else { return 0 }
      return UInt64(min(max(milliseconds, 1), 1 << 40)) * 1_000_000
    }
    var limits = lb_limits()
    limits.memory = max(policy.memoryBytes, 1 << 20)
    limits.call_ns = nanoseconds(policy.callMilliseconds)
    limits.step_ns = nanoseconds(policy.stepMilliseconds)
    limits.crossing = policy.crossingBytes
    limits.source = policy.sourceBytes
    limits.output = policy.outputBytes
    limits.clock = policy.allows(.clock)
    return lb_sandbox_make(&host, &limits, seed)
  }

  deinit {
    lb_state_close(raw)
    Unmanaged<AnyObject>.fromOpaque(hostBox).release()
  }

  // MARK: Registering

  func register(_ owner: String, _ name: String, _ signature: String, _ body: @escaping (HostCall) throws -> [LuaValue])
  { registerWaiting(owner, name, signature) { .now(try body($0)) } }

  /// For a function that may have to wait for passes.
  func registerWaiting(_ owner: String, _ name: String, _ signature: String, _ body: @escaping HostFunction) {
    functions.append(gated(owner, name, body))
    signatures["\(owner):\(name.hasPrefix("@") ? name.dropFirst() : Substring(name))"] = signature
    let status = lb_add_function(raw, owner, name, signature, Int32(functions.count - 1))
    precondition(status == LB_OK, "\(owner).\(name): signature \"\(signature)\", or no memory")
  }

  func set(_ module: String?, _ name: String, _ value: LuaValue) throws {
    try withTape([value]) { tape in
      try check(module.map { lb_set_field(raw, $0, name, tape) } ?? lb_set_global(raw, name, tape))
    }
  }

  // MARK: Limits

  /// The function as the policy allows it.
  private func gated(_ owner: String, _ name: String, _ body: @escaping HostFunction) -> HostFunction {
    guard let policy, let needed = Capability.needed(by: "\(owner):\(name)") else { return body }
    guard policy.allows(needed) else {
      return { _ in
        try policy.check(needed, for: name); return .now([])
      }
    }
    // What a model is asked for costs tokens and memory: looked at before and after.
    return { [unowned self] call in
      // A session of another state's: its tokens count here while this one drives it, its memory there.
      if case .object(let object) = call[1], let session = object as? SessionObject {
        account?.adopt(try session.forReading())
      }
      settle()
      defer { settle() }
      if shouldReturn { return .now([]) }
      let answer = try body(call)
      if case .later(let waiting) = answer { waiting.onCompletion = { [weak self] in self?.settle() } }
      return answer
    }
  }

  /// Freezes globals and modules of a sandboxed state, once everything is registered.
  func freeze() throws {
    if policy != nil { try check(lb_freeze(raw)) }
  }

  /// A session without a handle, whose tokens and memory are on the script's account.
  func track(_ session: Session) {
    account?.track(session)
    settle()
  }

  /// A patch whose vector is on the script's account.
  func track(_ patch: PatchObject) {
    account?.track(patch)
    settle()
  }

  /// Tokens that no session of the script's evaluates.
  func charge(tokens: Int) {
    account?.charge(tokens: tokens)
    settle()
  }

  /// Ends the state if what it has used is beyond a limit.
  func settle() {
    if let account, !account.settle() { lb_exceed(raw, LB_LIMIT_HOST) }
  }

  /// What scoring may hold of keys and values, which is nobody's session.
  var scoringBudget: KVBudget {
    KVBudget(bytes: min(policy?.kvBytes ?? .max, KVBudget.ofMachine.bytes))
  }

  /// What calls of the state may hold of keys and values before no further one begins beside them.
  var companyBudget: KVBudget { KVBudget(bytes: scoringBudget.bytes / 2) }

  /// Whether a host function should return as soon as it can: the script was asked to stop, or is beyond a limit.
  var shouldReturn: Bool {
    settle()
    return lb_should_return(raw)
  }

  /// A line for the log, as far as the output limit lets it through; nil where nothing is left.
  func admit(_ line: String) -> String? {
    guard let policy else { return line }
    let room = policy.outputBytes - loggedBytes
    if room <= 0 { return nil }
    loggedBytes += line.utf8.count
    return line.utf8.count <= room ? line : String(line.prefix(room)) + " [more was left out]"
  }

  /// Calls of Lua in `body` share one call limit.
  package func withCall<Value>(_ body: () throws -> Value) rethrows -> Value {
    guard policy != nil else { return try body() }
    lb_begin_call(raw)
    defer { lb_end_call(raw) }
    return try body()
  }

  /// What ended the state; nil while it can be used.
  package var limitError: ScriptError? {
    guard let policy else { return nil }
    let limit =
      switch lb_state_limit(raw) {
      case LB_LIMIT_NONE: nil as String?
      case LB_LIMIT_MEMORY: "memory limit of \(policy.memoryBytes >> 20) MiB"
      case LB_LIMIT_CALL: "limit of \(policy.callMilliseconds ?? 0) ms for a call"
      case LB_LIMIT_STEP: "limit of \(policy.stepMilliseconds ?? 0) ms for a step"
      default: account?.excess ?? "limit of its host"
      }
    guard let limit else { return nil }
    let place = String(cString: lb_limit_place(raw))
    return ScriptError(
      code: "limit", message: "\(policy.name) exceeded its \(limit) and was ended",
      place: place.isEmpty ? nil : place)
  }

  /// Whether it was ended for what its calls held together.
  var hasHeldTooMuch: Bool {
    switch lb_state_limit(raw) {
    case LB_LIMIT_MEMORY: true
    case LB_LIMIT_HOST: account?.hasHeldTooMuch ?? false
    default: false
    }
  }

  // MARK: Running

  /// - Parameter name: "@path" or "=label".
  package func load(_ source: [UInt8], name: String) throws -> LuaReference {
    var ref: lb_ref = 0
    let status = source.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { lb_load(raw, $0.baseAddress, $0.count, name, &ref) }
    }
    do {
      try check(status)
    } catch let failure as LuaFailure {
      throw LuaFailure(
        value: failure.value, error: ScriptError(code: "syntax", message: failure.error.message, plugin: plugin))
    }
    return LuaReference(ref, in: self)
  }

  /// - Throws: `LuaFailure`, or `ScriptError` without memory.
  @discardableResult
  package func call(_ function: LuaReference, _ arguments: [LuaValue] = [], wantsResults: Bool = true) throws
    -> [LuaValue]
  {
    try call(function, arguments, wantsResults, with: lb_call)
  }

  /// The same for a callback, under the step limit as well.
  @discardableResult
  package func step(_ function: LuaReference, _ arguments: [LuaValue] = [], wantsResults: Bool = true) throws
    -> [LuaValue]
  {
    try call(function, arguments, wantsResults, with: lb_call_step)
  }

  private func call(
    _ function: LuaReference, _ arguments: [LuaValue], _ wantsResults: Bool,
    with run: (OpaquePointer, lb_ref, OpaquePointer?, OpaquePointer?) -> lb_status
  ) throws -> [LuaValue] {
    try function.check(for: self)
    return try withTape(arguments) { tape in
      guard wantsResults else {
        try check(run(raw, function.ref, tape, nil))
        return []
      }
      return try withTape([]) { results in
        try check(run(raw, function.ref, tape, results))
        return TapeReader(results, self).all()
      }
    }
  }

  /// A call that can be left while one of its host calls waits; it has not begun.
  func beginTurns(_ function: LuaReference, _ arguments: [LuaValue]) throws -> LuaTurns {
    try function.check(for: self)
    return try withTape(arguments) { tape in
      var thread: lb_ref = 0
      try check(lb_begin_turns(raw, function.ref, tape, &thread))
      return LuaTurns(thread: LuaReference(thread, in: self))
    }
  }

  /// Lets it go on until it ends or waits.
  /// - Parameter keepsValues: results are references, but for nil.
  /// - Returns: the results; nil where it waits for `turns.waiting`.
  /// - Throws: as `call`.
  func goOn(_ turns: LuaTurns, keepsValues: Bool) throws -> [LuaValue]? {
    turns.waiting = nil
    return try withTape([]) { tape in
      var waiting: UnsafeMutableRawPointer?
      let status = lb_go_on(raw, turns.thread.ref, tape, keepsValues, &turns.deadline, &waiting)
      if status == LB_WAITING, let waiting {
        turns.waiting = Unmanaged<WaitingCall>.fromOpaque(waiting).takeUnretainedValue()
        return nil
      }
      try check(status)
      return TapeReader(tape, self).all()
    }
  }

  /// - Throws: where a limit has ended the state, or the time of the call that waits is up.
  func checkTime(of turns: LuaTurns) throws {
    if lb_is_late(raw, turns.deadline), let error = limitError { throw error }
  }

  /// Whether a function sees its argument of that number, from 1; true where that cannot be told.
  package func takes(_ argument: Int, _ function: LuaReference) -> Bool {
    guard function.isHeld(in: self) else { return true }
    let count = lb_parameter_count(raw, function.ref)
    return count < 0 || count >= argument
  }

  /// Whether a referenced table has no field at all; false after an error, which the next call reports.
  func isEmpty(_ table: LuaReference) -> Bool { lb_is_empty(raw, table.ref) }

  /// Elements of a referenced table's sequence.
  func length(of table: LuaReference) -> Int { lb_get_length(raw, table.ref) }

  /// - Parameter index: from 1.
  func element(_ index: Int, of table: LuaReference) throws -> LuaReference? {
    var ref: lb_ref = 0
    try check(lb_get_element(raw, table.ref, index, &ref))
    return ref == lb_ref(LB_NO_REF) ? nil : LuaReference(ref, in: self)
  }

  /// Plain data: throws for functions, handles and cycles.
  func read(_ reference: LuaReference) throws -> LuaValue {
    try withTape([]) { tape in
      try check(lb_read(raw, reference.ref, tape))
      return TapeReader(tape, self).all().first ?? .nil
    }
  }

  func hold(_ value: LuaValue) throws -> LuaReference {
    try withTape([value]) { tape in
      var ref: lb_ref = 0
      try check(lb_hold(raw, tape, &ref))
      return LuaReference(ref, in: self)
    }
  }

  func release(_ ref: lb_ref) { lb_release(raw, ref) }

  private func withTape<Result>(_ values: [LuaValue], _ body: (OpaquePointer) throws -> Result) throws -> Result {
    guard let tape = lb_tape_make(raw) else { throw limitError ?? Self.noMemory }
    defer { lb_tape_free(tape) }
    let writer = TapeWriter(tape, self)
    for value in values { try writer.write(value) }
    return try body(tape)
  }

  static let noMemory = ScriptError(code: "memory", message: "not enough memory for the script")

  private func check(_ status: lb_status) throws {
    if status == LB_OK { return }
    if let error = limitError { throw error }
    guard status == LB_FAILED else { throw Self.noMemory }
    let failure = lb_last_failure(raw)
    let error = ScriptError(
      code: failure.code.map { String(cString: $0) } ?? "error",
      message: failure.message.map { String(cString: $0) } ?? "unknown error",
      place: failure.where.map { String(cString: $0) }, traceback: failure.traceback.map { String(cString: $0) },
      plugin: plugin)
    throw LuaFailure(value: LuaReference(failure.value, in: self), error: error)
  }

  // MARK: Being called

  private func dispatch(_ function: Int32, _ frame: OpaquePointer) -> Int32 {
    answer(frame) {
      let arguments = TapeReader(lb_frame_arguments(frame), self).all()
      return try functions[Int(function)](HostCall(state: self, arguments: arguments))
    }
  }

  private func complete(_ call: WaitingCall, _ frame: OpaquePointer) -> Int32 {
    answer(frame) { .now(try call.complete()) }
  }

  private func answer(_ frame: OpaquePointer, _ body: () throws -> HostAnswer) -> Int32 {
    do {
      switch try body() {
      case .now(let results):
        let writer = TapeWriter(lb_frame_results(frame), self)
        for value in results { try writer.write(value) }
        return Int32(LB_CALL_DONE)
      case .later(let call):
        lb_frame_wait(frame, Unmanaged.passRetained(call).toOpaque())
        return Int32(LB_CALL_WAITS)
      }
    } catch let failure as LuaFailure where failure.value.isHeld(in: self) {
      lb_frame_rethrow(frame, failure.value.takeRef())
    } catch let failure as LuaFailure {
      // A value of another state cannot be raised here; what it says can.
      fail(frame, failure.error.code, failure.error.description)
    } catch HostFault.argument(let index, let message) {
      message.withBytes { lb_frame_fail_argument(frame, Int32(index), $0, $1) }
    } catch HostFault.error(let code, let message) {
      fail(frame, code, message)
    } catch let error as LacunaError {
      fail(frame, error.code.description, error.message)
    } catch let error as ScriptError {
      fail(frame, error.code, error.description)
    } catch {
      fail(frame, "error", "\(error)")
    }
    return Int32(LB_CALL_FAILED)
  }

  private func fail(_ frame: OpaquePointer, _ code: String, _ message: String) {
    code.withBytes { code, codeCount in
      message.withBytes { lb_frame_fail(frame, code, codeCount, $0, $1) }
    }
  }

  // MARK: Watching

  /// Stops what runs, from any thread; see `lb_interrupt`.
  func interrupt() { lb_interrupt(raw) }
  var isInterrupted: Bool { lb_interrupted(raw) }
  package var memory: lb_memory { lb_state_memory(raw) }
  package func collectGarbage() { lb_collect(raw) }
}

extension LuaState.Host {
  fileprivate static func from(_ context: UnsafeMutableRawPointer) -> LuaState.Host {
    Unmanaged<LuaState.Host>.fromOpaque(context).takeUnretainedValue()
  }
}

extension String {
  /// Calls `body` with the UTF-8 bytes and their count.
  func withBytes(_ body: (UnsafePointer<CChar>, Int) -> Void) {
    var copy = self
    copy.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        // An empty string may have no address.
        withUnsafePointer(to: CChar(0)) { body(characters.baseAddress ?? $0, characters.count) }
      }
    }
  }
}

extension LuaState {
  func setSearchFolder(_ folder: String) throws {
    guard lb_set_search_folder(raw, folder) == LB_OK else { throw Self.noMemory }
  }

  /// "owner:name" of every host function.
  package var registeredNames: [String] {
    guard let text = lb_registered_names(raw) else { return [] }
    defer { free(text) }
    return String(cString: text).split(separator: "\n").map(String.init)
  }
}
