internal import LacunaEngine

/// A generation under way, and what it has given so far.
final class RunningGeneration {
  private var generation: Generation
  private let hooks: HookRun?
  /// What the result will say of how it came about.
  private let reproduction: Reproduction?
  private let trace: TokenTrace?
  private(set) var tokens: [TokenID] = []
  private(set) var logProbabilities: [Float] = []
  private(set) var alternatives: [[(token: TokenID, logProbability: Float)]] = []
  private var pieces: [String] = []
  private var tail = ""
  private(set) var finish: Generation.Finish?
  let promptCount: Int
  private var isClosed = false
  /// Between the two ends of `next`, where a callback may come back here.
  private var isStepping = false

  init(_ generation: Generation, hooks: HookRun?, reproduction: Reproduction? = nil, trace: TokenTrace? = nil) {
    self.generation = generation
    self.hooks = hooks
    self.reproduction = reproduction
    self.trace = trace
    promptCount = generation.promptCount
  }

  var isUnderWay: Bool { finish == nil && !isClosed }
  func close() { isClosed = true }

  var text: String { pieces.joined() + tail }

  /// The work of the next event, or of all that are left.
  func work(whole: Bool) -> EventWork { EventWork(self, whole: whole) }

  /// Between `beginStep` and `endStep`, where the generation may wait and callbacks may come back here, nobody else can go on
  /// with it.
  fileprivate func beginStep() throws -> PassRequest? {
    guard !isStepping else {
      throw HostFault.error(code: "busy", message: "the generation is in the middle of a token")
    }
    isStepping = true
    trace?.begin()
    return try closingOnError {
      try hooks?.keep(generatedCount: tokens.count)
      return try generation.pendingPass()
    }
  }

  fileprivate func endStep() throws -> Generation.Event? {
    let event = try closingOnError {
      let event = try generation.next()
      if let event {
        trace?.end(event)
        try record(event)
      }
      return event
    }
    isStepping = false
    if finish == .cancelled { throw HostFault.error(code: "cancelled", message: "interrupted") }
    return event
  }

  /// After an error there is nothing sensible to go on from.
  fileprivate func closingOnError<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch {
      isStepping = false
      isClosed = true
      throw error
    }
  }

  private func record(_ event: Generation.Event) throws {
    if event.takenBack > 0 {
      tokens.removeLast(min(event.takenBack, tokens.count))
      logProbabilities.removeLast(logProbabilities.count - tokens.count)
      pieces.removeLast(pieces.count - tokens.count)
      alternatives.removeLast(max(alternatives.count - tokens.count, 0))
      try hooks?.rewind(toGenerated: tokens.count)
    }
    if let token = event.token {
      tokens.append(token)
      logProbabilities.append(event.logProbability)
      pieces.append(event.text)
      if !event.alternatives.isEmpty { alternatives.append(event.alternatives) }
    } else {
      tail += event.text
    }
    finish = event.finish
  }

  /// { text, tokens, finish, logprobs, top, usage, repro }, with what hooks add.
  func result() throws -> LuaValue {
    let top = alternatives.map { Self.list($0) }
    let speculated = generation.speculated
    func counted(_ part: KeyPath<Speculation.Tally, Int>) -> LuaValue {
      speculated.map { .count($0[keyPath: part]) } ?? .nil
    }
    let table = LuaTable(
      fields: [
        (.string("text"), .string(text)), (.string("tokens"), .integers(tokens)),
        (.string("finish"), .text(finish?.rawValue)), (.string("logprobs"), .floats(logProbabilities)),
        (
          .string("usage"),
          .record([
            "prompt_tokens": .count(promptCount), "completion_tokens": .count(tokens.count),
            "drafted": counted(\.drafted), "accepted": counted(\.accepted),
            "passes": counted(\.passes),
          ])
        ),
        (
          .string("repro"),
          reproduction?.value(tokens: tokens, logProbabilities: logProbabilities) ?? .nil
        ),
      ] + (top.isEmpty ? [] : [(.string("top"), .list(top))]))
    return .table(try hooks?.onFinish(table) ?? table)
  }

  /// { token, logprob, forced, finish, top, taken_back }.
  static func record(_ event: Generation.Event) -> LuaValue {
    .record([
      "token": .token(event.token), "logprob": event.token == nil ? .nil : .number(Double(event.logProbability)),
      "forced": event.isForced ? .bool(true) : .nil,
      "finish": .text(event.finish?.rawValue), "top": event.alternatives.isEmpty ? .nil : list(event.alternatives),
      "taken_back": event.takenBack == 0 ? .nil : .count(event.takenBack),
    ])
  }

  private static func list(_ alternatives: [(token: TokenID, logProbability: Float)]) -> LuaValue {
    .list(alternatives.map { .record(["token": .token($0.token), "logprob": .number(Double($0.logProbability))]) })
  }
}

/// One event of a generation, or all that are left.
final class EventWork: Work {
  private let running: RunningGeneration
  private let whole: Bool
  private var request: PassRequest?
  private var isStepping = false
  /// The last one; nil behind the end.
  private(set) var event: Generation.Event?

  fileprivate init(_ running: RunningGeneration, whole: Bool) {
    self.running = running
    self.whole = whole
  }

  deinit {
    // Left for good in the middle of a token.
    if isStepping { running.close() }
  }

  /// - Throws: as `Generation.next`; `busy` in the middle of a token.
  func advance() throws -> [PassRequest]? {
    while true {
      if let request, let waiting = try running.closingOnError({ try [request].waiting() }) { return waiting }
      if !isStepping {
        guard running.isUnderWay else { return nil }
        request = try running.beginStep()
        isStepping = true
        continue
      }
      isStepping = false
      request = nil
      event = try running.endStep()
      if !whole || event == nil { return nil }
    }
  }
}

/// `for piece, ev in s:stream { ... } do`: the iterator and what closes it, in one handle.
final class StreamObject: ScriptObject {
  static var scriptType: ScriptType { .stream }
  let running: RunningGeneration
  init(_ running: RunningGeneration) { self.running = running }
  func close() { running.close() }
}
