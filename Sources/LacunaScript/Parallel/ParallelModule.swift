internal import LacunaEngine

extension ScriptContext {
  private static let defaultWidth = 8
  private static let greatestWidth = 256

  /// `lacuna.parallel(items, fn, { max = 8 })`: each item in a coroutine; what all of them wait for is made in passes
  /// together.
  func registerParallel() {
    state.registerWaiting("lacuna", "parallel", "table&, function, table?") { [unowned self] call in
      guard case .function(let items) = call[1], case .function(let function) = call[2] else {
        preconditionFailure("the signature asks for references")
      }
      let width = try call.options(3, ["max"]).integer("max", in: 1...Self.greatestWidth) ?? Self.defaultWidth
      try checkCancellation()
      let run = ParallelRun(items, function, in: state)
      let group = WorkGroup(
        count: state.length(of: items), width: width, start: run.start, finish: run.finish)
      return .later(
        WaitingCall(try registry.company(group)) { [unowned self] in
          try checkCancellation()
          return [run.results, run.errors]
        })
    }
  }
}

/// The items of one `lacuna.parallel`, and what became of them.
private final class ParallelRun {
  private unowned let state: LuaState
  private let items: LuaReference
  private let function: LuaReference
  private var calls: [Int: ScriptCall] = [:]
  private var values: [Int: LuaValue] = [:]
  private var failures: [Int: LuaValue] = [:]

  init(_ items: LuaReference, _ function: LuaReference, in state: LuaState) {
    self.items = items
    self.function = function
    self.state = state
  }

  func start(_ index: Int) throws -> any Work {
    let item = try state.element(index + 1, of: items)
    let call = ScriptCall(
      function, [item.map { .reference($0) } ?? .nil, .count(index + 1)], keepsValues: true, in: state)
    calls[index] = call
    return call
  }

  func finish(_ index: Int, _ error: (any Error)?) {
    let results = calls.removeValue(forKey: index)?.results ?? []
    if let error {
      failures[index] = Self.value(of: error, in: state)
    } else if let value = results.first, !value.isNil {
      values[index] = value.sent
    } else if results.count > 1, !results[1].isNil {
      // `return nil, err`.
      failures[index] = results[1].sent
    }
  }

  /// The error itself, where it is one of this state's and can stand in a table.
  private static func value(of error: any Error, in state: LuaState) -> LuaValue {
    if let failure = error as? LuaFailure, failure.value.isHeld(in: state), !failure.value.isNil {
      return .reference(failure.value)
    }
    let error = ScriptError(error)
    return .error(code: error.code, message: error.description)
  }

  var results: LuaValue { Self.table(values) }
  var errors: LuaValue { Self.table(failures) }

  private static func table(_ values: [Int: LuaValue]) -> LuaValue {
    .table(LuaTable(fields: values.sorted { $0.key < $1.key }.map { (.count($0.key + 1), $0.value) }))
  }
}

extension LuaValue {
  /// A value that came by reference, on its way back.
  fileprivate var sent: LuaValue {
    if case .function(let reference) = self { .reference(reference) } else { self }
  }
}
