internal import LacunaEngine

/// What every sampler promises, tried on logits and parameters that are made up.
struct SamplerCheck {
  private let plugin: Plugin
  private let name: String
  private let sampler: PluginKinds.Sampler

  private static let cases = 24
  private static let sizes = [2, 17, 64, 300]

  init(_ plugin: Plugin, _ name: String, _ sampler: PluginKinds.Sampler) {
    self.plugin = plugin
    self.name = name
    self.sampler = sampler
  }

  /// What is wrong, in one line; nil where all properties hold. Errors of the plugin's Lua count.
  func failure() -> String? {
    for number in 0..<Self.cases {
      var random = SeededRandom(seed: 0x5EED, stream: UInt64(number), position: 0)
      let size = Self.sizes[number % Self.sizes.count]
      let parameters = self.parameters(&random, isDefault: number < Self.sizes.count)
      do {
        let trial = Trial(
          parameters: try sampler.schema.resolve(parameters, subject: "sampler \"\(name)\""),
          rows: (0..<4).map { _ in Self.logits(size, &random) },
          tokens: (0..<12).map { _ in TokenID(random.next() % UInt64(min(size, 5))) })
        try check(trial)
      } catch {
        let message = if let broken = error as? BrokenPromise { broken.message } else { ScriptError(error).description }
        return "\(message) (vocabulary \(size), parameters \(JSONCodec.line(.table(parameters))))"
      }
    }
    return nil
  }

  private struct Trial {
    let parameters: LuaTable
    let rows: [[Float]]
    let tokens: [TokenID]
  }

  private struct BrokenPromise: Error {
    let message: String
  }

  // MARK: Properties

  private func check(_ trial: Trial) throws {
    let first = try stage(trial)
    let results = try trial.rows.indices.map { try step(first, trial, row: $0, isFinal: $0 == trial.rows.count - 1) }
    for (row, result) in zip(trial.rows, results) { try checkSurvivors(row, result, trial) }

    try expect("the same seed, the same result", try play(try stage(trial), trial, from: 0), results)

    // A fork goes on alone: what the other one accepts is no business of its own.
    let original = try stage(trial)
    _ = try step(original, trial, row: 0, isFinal: false)
    guard let fork = try original.fork() as? LuaStage else { preconditionFailure("a Lua stage forks into one") }
    _ = try step(fork, trial, row: 1, isFinal: false, accepting: (trial.tokens[1] + 1) % TokenID(trial.rows[0].count))
    try expect("forks are independent", try play(original, trial, from: 1), Array(results[1...]))

    let rewound = try stage(trial)
    for row in 0..<2 { _ = try step(rewound, trial, row: row, isFinal: false) }
    try rewound.rewind(toAccepted: 1)
    try expect("a rewind gives back the state", try play(rewound, trial, from: 1), Array(results[1...]))

    let saved = try stage(trial)
    _ = try step(saved, trial, row: 0, isFinal: false)
    let text: String
    var codec = JSONCodec()
    do { text = try codec.encode(saved.savedState) } catch {
      throw BrokenPromise(message: "state survives being saved as JSON: \(error.message)")
    }
    let resumed = try stage(trial, saved: LuaValue(try JSONValue.parse(Array(text.utf8), file: "state")))
    try expect("state survives being saved as JSON", try play(resumed, trial, from: 1), Array(results[1...]))
  }

  private func checkSurvivors(_ before: [Float], _ after: Outcome, _ trial: Trial) throws {
    if let id = after.picked {
      guard before.indices.contains(Int(id)), before[Int(id)] > -.infinity else {
        throw BrokenPromise(message: "pick returns a token that is not masked: it returned \(id)")
      }
      return
    }
    for (id, value) in after.logits.enumerated() {
      if value.isNaN || value == .infinity {
        throw BrokenPromise(message: "no NaN and no infinity: id \(id) is \(value)")
      }
      if before[id] == -.infinity, value > -.infinity {
        throw BrokenPromise(message: "masked stays masked: id \(id) was -inf and is \(value)")
      }
    }
    guard let best = after.logits.max(), best > -.infinity else {
      throw BrokenPromise(message: "at least one token survives: all \(before.count) are masked")
    }
    guard sampler.stage.keepsArgmax, let top = before.max() else { return }
    // Greedy takes the lowest id of equals: a tie that was none before can change its choice.
    let (old, new) = (before.firstIndex(of: top), after.logits.firstIndex(of: best))
    guard old == new else {
      throw BrokenPromise(
        message: "argmax_invariant: greedy would take id \(new ?? 0) afterwards, and took \(old ?? 0) before")
    }
  }

  private func expect(_ promise: String, _ found: [Outcome], _ expected: [Outcome]) throws {
    guard found != expected else { return }
    throw BrokenPromise(message: "\(promise): the same steps gave another result")
  }

  // MARK: Steps

  private struct Outcome: Equatable {
    var logits: [Float]
    var picked: TokenID?
  }

  private func stage(_ trial: Trial, saved: LuaValue? = nil) throws -> LuaStage {
    try LuaStage(
      sampler.stage, parameters: trial.parameters, context: plugin.context.stageContext(nil, trial.rows[0].count),
      saved: saved, plugin: plugin, in: plugin.state)
  }

  private func play(_ stage: LuaStage, _ trial: Trial, from first: Int) throws -> [Outcome] {
    try (first..<trial.rows.count).map { try step(stage, trial, row: $0, isFinal: $0 == trial.rows.count - 1) }
  }

  /// One token: the stage sees the row behind `4 + row` tokens, and accepts the next of them.
  private func step(
    _ stage: LuaStage, _ trial: Trial, row: Int, isFinal: Bool, accepting other: TokenID? = nil
  ) throws -> Outcome {
    var outcome = Outcome(logits: trial.rows[row], picked: nil)
    try trial.tokens[..<(4 + row)].withUnsafeBufferPointer { tokens in
      let context = SamplingContext(tokens: tokens, promptCount: 2, seed: 7, stream: 1)
      try outcome.logits.withUnsafeMutableBufferPointer { logits in
        if stage.isSelector {
          outcome.picked = try stage.pick(logits, context)
        } else {
          try stage.apply(logits, context)
        }
      }
    }
    if stage.isSelector { outcome.logits = [] }
    if !isFinal { try stage.accept(other ?? outcome.picked ?? trial.tokens[4 + row]) }
    return outcome
  }

  // MARK: Making things up

  private static func logits(_ size: Int, _ random: inout SeededRandom) -> [Float] {
    let spread = [0, 0.5, 3, 30][Int(random.next() % 4)]
    var logits = (0..<size).map { _ in Float(random.normal() * spread) }
    // Some masked, but for one: and sometimes all but that one.
    let share = [0, 0.3, 0.95, 1][Int(random.next() % 4)]
    let survivor = Int(random.next() % UInt64(size))
    for id in logits.indices where id != survivor && random.uniform() < share { logits[id] = -.infinity }
    return logits
  }

  /// Defaults, or values from all over the ranges; what has no default is always made up.
  private func parameters(_ random: inout SeededRandom, isDefault: Bool) -> LuaTable {
    var table = LuaTable()
    for parameter in sampler.schema.parameters where !isDefault || parameter.isRequired {
      if let value = parameter.example(&random) { table.fields.append((.string(parameter.name), value)) }
    }
    return table
  }
}

extension ParameterSchema.Parameter {
  /// A value that the schema allows; nil for one that is better left out.
  fileprivate func example(_ random: inout SeededRandom) -> LuaValue? {
    if !choices.isEmpty { return choices[Int(random.next() % UInt64(choices.count))] }
    // Not so large that their difference, or a sum of two, is too large.
    func bounded(_ value: Double) -> Double { min(max(value, -0x1p61), 0x1p61) }
    let standard = bounded(defaultValue?.double ?? 1)
    let low = bounded(least ?? min(0, standard))
    let high = bounded(min(greatest ?? max(4 * standard, 8), low + max(4 * abs(standard), 8)))
    switch kind {
    // The ends are where mistakes are.
    case .number: return .number([low, high, low + (high - low) * random.uniform()][Int(random.next() % 3)])
    case .integer:
      let (first, last) = (Int64(low.rounded(.up)), Int64(high.rounded(.down)))
      return .integer(first + Int64(random.next() % UInt64(max(1, last - first + 1))))
    case .boolean: return .bool(random.uniform() < 0.5)
    case .string: return isRequired ? .string("a") : nil
    case .list: return isRequired ? .list(element == .string ? [.string("a")] : [.integer(1), .integer(3)]) : nil
    case .table: return isRequired ? .table(LuaTable()) : nil
    }
  }
}
