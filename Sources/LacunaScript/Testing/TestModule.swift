internal import LacunaEngine

extension ScriptContext {
  /// `lacuna.test`: what the functions of a test get as `t`. There only under `lacuna test`.
  func registerTest() {
    let owner = "lacuna.test"
    func failure(_ message: String) -> HostFault { .error(code: "assertion", message: message) }
    func label(_ call: HostCall, _ index: Int) -> String {
      if case .string(let text) = call[index] { "\(text): " } else { "" }
    }
    state.register(owner, "ok", "any?, any?") { call in
      switch call[1] {
      case .nil, .bool(false): throw failure("\(label(call, 2))expected a value, found \(call[1].shown)")
      default: return []
      }
    }
    state.register(owner, "equal", "any?, any?, any?") { call in
      if let difference = Difference.find(call[1], call[2], tolerance: 0) {
        throw failure(label(call, 3) + difference)
      }
      return []
    }
    state.register(owner, "near", "any?, any?, number?, any?") { call in
      if let difference = Difference.find(call[1], call[2], tolerance: call[3].double ?? 1e-6) {
        throw failure(label(call, 4) + difference)
      }
      return []
    }
    // The message of what the function raises, which must hold the text.
    state.register(owner, "raises", "function, string?") { [unowned self] call in
      guard case .function(let function) = call[1] else { preconditionFailure("argument 1 is no function") }
      do {
        try state.call(function, wantsResults: false)
      } catch let error as LuaFailure {
        let message = error.error.description
        if case .string(let part) = call[2], !message.contains(part) {
          throw failure("expected an error with \"\(part)\", found \"\(message)\"")
        }
        return [.string(message)]
      }
      throw failure("expected an error, found none")
    }
    registerTestProbe(owner)
    state.register(owner, "model", "table") { [unowned self] call in
      let options = try call.options(1, ["vocab", "next", "early", "floor", "context", "name", "chat_template"])
      return [.object(try makeMockModel(options))]
    }
    // What a filter leaves of hand-made logits: a probability for each id from 0 on.
    state.register(owner, "filter", "any, table|vec, table?") { [unowned self] call in
      let chain = try ChainObject.read(.list([call[1], .string("greedy")])) { .argument(1, $0) }
      let logits = try Self.logits(call[2]) { .argument(2, $0) }
      let steps = try TestSteps(call, 3)
      return try steps.withContext { context in
        let made = try chain.make(vocabularySize: logits.count, engine: nil, in: self)
        let reports = try logits.withUnsafeBufferPointer { try made.explain($0, context, top: logits.count) }
        var probabilities = [Double](repeating: 0, count: logits.count)
        for (id, probability) in zip(reports[1].topTokens, reports[1].topProbabilities) {
          probabilities[Int(id)] = probability
        }
        return [.list(probabilities.map { .number($0) })]
      }
    }
    // The ids that a chain draws from rows of logits, one after the other.
    state.register(owner, "draw", "any, table, table?") { [unowned self] call in
      let chain = try ChainObject.read(call[1]) { .argument(1, $0) }
      guard case .table(let table) = call[2], table.fields.isEmpty, !table.array.isEmpty else {
        throw HostFault.argument(2, "expected rows of logits")
      }
      let rows = try table.array.map { try Self.logits($0) { .argument(2, $0) } }
      var steps = try TestSteps(call, 3)
      var made = try chain.make(vocabularySize: rows[0].count, engine: nil, in: self)
      var drawn: [TokenID] = []
      for row in rows {
        guard row.count == rows[0].count else {
          throw HostFault.argument(2, "expected rows of \(rows[0].count) logits, found one of \(row.count)")
        }
        var row = row
        let id = try steps.withContext { context in
          try row.withUnsafeMutableBufferPointer { try made.sample($0, context) }
        }
        try made.accept(id)
        steps.tokens.append(id)
        drawn.append(id)
      }
      return [.integers(drawn)]
    }
  }

  private static func logits(_ value: LuaValue, _ fault: (String) -> HostFault) throws -> [Float] {
    if let elements = value.vectorElements { return elements }
    guard case .table(let table) = value, table.fields.isEmpty, !table.array.isEmpty else {
      throw fault("expected a list of logits, found \(value.kind)")
    }
    return try table.array.map { element in
      guard let number = element.double else { throw fault("expected numbers, found \(element.kind)") }
      return Float(number)
    }
  }
}

/// What a stage under test may look at.
private struct TestSteps {
  var tokens: [TokenID]
  private let promptCount: Int
  private let seed, stream: UInt64

  init(_ call: HostCall, _ index: Int) throws {
    let options = try call.options(index, ["tokens", "prompt", "seed", "stream"])
    tokens = try options.tokens("tokens") ?? []
    promptCount = try options.integer("prompt", in: 0...tokens.count) ?? tokens.count
    seed = try options.bits("seed") ?? 0
    stream = try options.bits("stream") ?? 0
  }

  func withContext<Result>(_ body: (SamplingContext) throws -> Result) rethrows -> Result {
    try tokens.withUnsafeBufferPointer {
      try body(SamplingContext(tokens: $0, promptCount: promptCount, seed: seed, stream: stream))
    }
  }
}

/// Where two values of plain data differ.
private enum Difference {
  /// "[2].name: expected \"a\", found \"b\""; nil where they are equal. Numbers may differ by the tolerance.
  static func find(_ found: LuaValue, _ expected: LuaValue, tolerance: Double, at path: String = "") -> String? {
    switch (found, expected) {
    case (.nil, .nil), (.null, .null): return nil
    case (.bool(let a), .bool(let b)) where a == b: return nil
    case (.string(let a), .string(let b)) where a == b: return nil
    case (.object(let a), .object(let b)) where a === b: return nil
    case (.table(let a), .table(let b)): return find(a, b, tolerance, path)
    case (.tokenSet(let a), .tokenSet(let b)): return find(a, b, path)
    default:
      if let a = found.vectorElements, let b = expected.vectorElements { return find(a, b, tolerance, path) }
      return areEqual(found, expected, tolerance) ? nil : mismatch(text(expected), text(found), path)
    }
  }

  private static func mismatch(_ expected: String, _ found: String, _ path: String) -> String {
    "\(path.isEmpty ? "" : path + ": ")expected \(expected), found \(found)"
  }

  /// Two integers are compared as such: not all of them have a double of their own.
  private static func areEqual(_ found: LuaValue, _ expected: LuaValue, _ tolerance: Double) -> Bool {
    if case .integer(let a) = found, case .integer(let b) = expected {
      let (difference, overflow) = a.subtractingReportingOverflow(b)
      return !overflow && Double(difference.magnitude) <= tolerance
    }
    guard let a = found.double, let b = expected.double else { return false }
    return a == b || abs(a - b) <= tolerance
  }

  private static func find(_ found: [Float], _ expected: [Float], _ tolerance: Double, _ path: String) -> String? {
    guard found.count == expected.count else {
      return mismatch("a lacuna.vec of \(expected.count) elements", "one of \(found.count)", path)
    }
    for (id, pair) in zip(found, expected).enumerated() {
      let (a, b) = (LuaValue.number(Double(pair.0)), LuaValue.number(Double(pair.1)))
      if let difference = find(a, b, tolerance: tolerance, at: "\(path)[\(id)]") { return difference }
    }
    return nil
  }

  private static func find(_ found: TokenMask, _ expected: TokenMask, _ path: String) -> String? {
    guard found.size == expected.size else {
      return mismatch("a lacuna.set over \(expected.size) ids", "one over \(found.size)", path)
    }
    let words = ["not in the set", "in the set"]
    for id in 0..<found.size where found.contains(TokenID(id)) != expected.contains(TokenID(id)) {
      let isExpected = expected.contains(TokenID(id)) ? 1 : 0
      return mismatch(words[isExpected], words[1 - isExpected], "\(path)[\(id)]")
    }
    return nil
  }

  private static func find(_ found: LuaTable, _ expected: LuaTable, _ tolerance: Double, _ path: String) -> String? {
    guard found.array.count == expected.array.count else {
      return mismatch(text(.table(expected)), text(.table(found)), path)
    }
    for (index, pair) in zip(found.array, expected.array).enumerated() {
      if let difference = find(pair.0, pair.1, tolerance: tolerance, at: "\(path)[\(index + 1)]") { return difference }
    }
    func name(_ key: LuaValue) -> String { if case .string(let name) = key { ".\(name)" } else { "[\(key.shown)]" } }
    let (ours, theirs) = (
      Dictionary(found.fields.map { (name($0.key), $0.value) }) { $1 },
      Dictionary(expected.fields.map { (name($0.key), $0.value) }) { $1 }
    )
    for key in Set(ours.keys).union(theirs.keys).sorted() {
      let difference = find(ours[key] ?? .nil, theirs[key] ?? .nil, tolerance: tolerance, at: path + key)
      if let difference { return difference }
    }
    return nil
  }

  private static func text(_ value: LuaValue) -> String {
    if case .number(let number) = value, number.isNaN { return "nan, which equals nothing" }
    if value.double != nil { return value.shown }
    return String(value.isPlain ? JSONCodec.line(value).prefix(200) : Substring(value.kind))
  }
}
