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

  func next() throws -> Generation.Event? {
    guard isUnderWay else { return nil }
    guard !isStepping else {
      throw HostFault.error(code: "busy", message: "the generation is in the middle of a token")
    }
    isStepping = true
    // After an error there is nothing sensible to go on from.
    var isDone = false
    defer {
      isStepping = false
      if !isDone { isClosed = true }
    }
    try hooks?.keep(generatedCount: tokens.count)
    trace?.begin()
    let event = try generation.next()
    if let event {
      trace?.end(event)
      try record(event)
    }
    isDone = true
    if finish == .cancelled { throw HostFault.error(code: "cancelled", message: "interrupted") }
    return event
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

/// `for piece, ev in s:stream { ... } do`: the iterator and what closes it, in one handle.
final class StreamObject: ScriptObject {
  static var scriptType: ScriptType { .stream }
  let running: RunningGeneration
  init(_ running: RunningGeneration) { self.running = running }
  func close() { running.close() }
}
