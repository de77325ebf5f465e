import LacunaEngine

/// Everything that can be measured, by name, and what of it is wanted.
struct BenchPlan {
  /// A measurement that has not been made yet: making it may fill gigabytes.
  struct Entry {
    let name: String
    /// Positions that it needs of a session; nil for one that needs no model.
    let positions: Int?
    let isDefault: Bool
    fileprivate let make: (Context) throws -> any Measurement
  }

  /// What measurements are made from. The model is there where an entry needs one.
  fileprivate struct Context {
    let subject: BenchSubject?
    let directory: BenchDirectory?
    let options: Engine.Options

    func model() -> BenchSubject {
      guard let subject else { preconditionFailure("a measurement of a model without one") }
      return subject
    }
  }

  let entries: [Entry]

  /// - Parameters:
  ///   - only: names, or what they begin with ("decode"); empty for the default.
  ///   - hasDirectory: whether a checkpoint of the shape can be written to disk.
  /// - Throws: `invalidArgument` for a name that fits nothing.
  init(only: [String], hasDirectory: Bool) throws(LacunaError) {
    let all = Self.all.filter { hasDirectory || !Self.onDisk.contains($0.name) }
    for name in only where !all.contains(where: { Self.fits($0.name, name) }) {
      throw LacunaError(
        .invalidArgument,
        "--only: expected some of \(all.map(\.name).joined(separator: ", ")), found \"\(name)\"")
    }
    entries = all.filter { entry in
      only.isEmpty ? entry.isDefault : only.contains { Self.fits(entry.name, $0) }
    }
  }

  private static func fits(_ name: String, _ wanted: String) -> Bool {
    name == wanted || name.hasPrefix(wanted + "-")
  }

  var needsModel: Bool { entries.contains { $0.positions != nil } }
  var deepest: Int { entries.compactMap(\.positions).max() ?? 0 }

  /// - Parameter subject: nil where no entry needs a model. Entries that its context does not hold are left out.
  func measurements(
    subject: BenchSubject?, directory: BenchDirectory?, options: Engine.Options
  ) throws -> [any Measurement] {
    let context = Context(subject: subject, directory: directory, options: options)
    return try entries.filter { ($0.positions ?? 0) <= subject?.engine.contextLength ?? .max }.map {
      try $0.make(context)
    }
  }

  private static let onDisk = [FirstToken.Figure.time.rawValue, FirstToken.Figure.memory.rawValue]

  private static var all: [Entry] {
    [16, 512, 2048, 4000].map { context in
      model("decode-\(context)", DecodeSpeed.positions(context: context)) { DecodeSpeed($0, context: context) }
    }
      + [16, 4000].map { context in
        model("decode-fp8-\(context)", DecodeSpeed.positions(context: context)) {
          DecodeSpeed($0, context: context, kv: .fp8)
        }
      }
      + [16, 128, 512, 2048].map { count in model("prefill-\(count)", count) { PrefillSpeed($0, count: count) } }
      + [2, 4, 8, 16].map { width in model("batch-\(width)", 32) { BatchSpeed($0, width: width) } }
      + [model("parallel-8", ParallelCost.positions) { ParallelCost($0, width: 8) }]
      + [SessionCost.Step.fork, .rewind].map { step in
        model(step.rawValue, SessionCost.count) { SessionCost($0, step) }
      }
      + [
        Entry(name: "sampler", positions: nil, isDefault: true) { _ in try SamplerCost() },
        Entry(name: "lua-stage", positions: nil, isDefault: true) { _ in try ScriptCost(.stage) },
        Entry(name: "lua-hook", positions: nil, isDefault: true) { _ in try ScriptCost(.hook) },
      ]
      + [GrammarCost.Kind.json, .regex].map { kind in
        Entry(name: kind.rawValue, positions: nil, isDefault: true) { _ in try GrammarCost(kind) }
      }
      + [FirstToken.Figure.time, .memory].map { figure in
        Entry(name: figure.rawValue, positions: nil, isDefault: false) { context in
          guard let directory = context.directory else { preconditionFailure("no directory to load") }
          return FirstToken(figure, directory: directory, options: context.options)
        }
      }
  }

  private static func model(
    _ name: String, _ positions: Int, _ make: @escaping (BenchSubject) -> any Measurement
  ) -> Entry {
    Entry(name: name, positions: positions, isDefault: true) { make($0.model()) }
  }
}
