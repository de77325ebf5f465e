import LacunaEngine
import LacunaScript

/// How much longer a script takes over several items in `lacuna.parallel` than over one of them alone. Each item decodes
/// token by token, from one token on.
final class ParallelCost: Measurement {
  private let subject: BenchSubject
  private let width: Int
  private static let steps = 8
  /// Positions that an item uses.
  static let positions = steps + 1

  init(_ subject: BenchSubject, width: Int) {
    self.subject = subject
    self.width = width
  }

  var name: String { "parallel-\(width)" }
  var title: String { "\(width) items of a script, beside one" }
  var unit: MeasuredUnit { .times }
  /// Five times the rate of one.
  var bound: Bound { .budget(Double(width) / 5) }

  func sample() throws -> Double {
    // What disturbs a measurement makes it longer; the first pass touches memory for the first time.
    var (one, many) = (Double.infinity, Double.infinity)
    for _ in 0..<2 {
      one = min(one, try run(items: 1))
      many = min(many, try run(items: width))
    }
    return many / one
  }

  private func run(items: Int) throws -> Double {
    let engine = subject.engine
    let host = LuaHost(ScriptEnvironment { _ in engine })
    let source = """
      local lacuna <const> = require "lacuna"
      local model <const>, items <const> = assert(lacuna.model()), {}
      for i = 1, \(items) do items[i] = i end
      local _, errors = lacuna.parallel(items, function(i)
        local session <close> = model:session { tokens = { i } }
        for _ = 1, \(Self.steps) do session:push(session:logits():argmax()) end
      end)
      for _, err in pairs(errors) do error(err) end
      """
    return try seconds { try host.run(LuaHost.Script(name: "bench", source: source)) }
  }
}
