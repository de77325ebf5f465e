/// Something that a sandboxed script may do beyond computing, as a manifest names it.
public enum Capability: Hashable, Sendable, CustomStringConvertible {
  case modelGenerate, modelScore, modelLogits, modelHidden, modelPatch
  case saveState
  case clock
  /// Reading or writing below a folder.
  case readFiles(String)
  case writeFiles(String)
  /// One variable of the environment.
  case environment(String)

  /// Those that have no argument.
  public static let plain: [Capability] = [
    .modelGenerate, .modelScore, .modelLogits, .modelHidden, .modelPatch, .saveState, .clock,
  ]
  /// What a model can be asked for.
  public static let model: Set<Capability> = [.modelGenerate, .modelScore, .modelLogits, .modelHidden, .modelPatch]

  /// - Parameter text: "model.score", "fs.read:data", "env:HOME"; nil for anything else.
  public init?(_ text: String) {
    if let plain = Self.plain.first(where: { $0.description == text }) {
      self = plain
      return
    }
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, !parts[1].isEmpty else { return nil }
    switch parts[0] {
    case "fs.read": self = .readFiles(String(parts[1]))
    case "fs.write": self = .writeFiles(String(parts[1]))
    case "env": self = .environment(String(parts[1]))
    default: return nil
    }
  }

  public var description: String {
    switch self {
    case .modelGenerate: "model.generate"
    case .modelScore: "model.score"
    case .modelLogits: "model.logits"
    case .modelHidden: "model.hidden"
    case .modelPatch: "model.patch"
    case .saveState: "kv.save"
    case .clock: "clock"
    case .readFiles(let folder): "fs.read:\(folder)"
    case .writeFiles(let folder): "fs.write:\(folder)"
    case .environment(let name): "env:\(name)"
    }
  }

  /// What a host function needs, "lacuna.session:generate"; nil for nothing.
  static func needed(by function: String) -> Capability? { table[function] }

  static let table: [String: Capability] = [
    "lacuna.session:generate": .modelGenerate, "lacuna.session:stream": .modelGenerate,
    "lacuna.session:logits": .modelLogits, "lacuna:forward": .modelLogits,
    "lacuna.model:score": .modelScore, "lacuna.model:score_many": .modelScore, "lacuna.model:perplexity": .modelScore,
    "lacuna.model:moments": .modelScore, "lacuna.model:kl": .modelScore,
    "lacuna.model:trace": .modelHidden, "lacuna.session:trace": .modelHidden,
    "lacuna.session:hidden": .modelHidden, "lacuna.session:lens": .modelHidden,
    "lacuna.session:embedding": .modelHidden,
    "lacuna.model:patch": .modelPatch,
    "lacuna.session:save": .saveState, "lacuna.snapshot:save": .saveState,
  ]
}
