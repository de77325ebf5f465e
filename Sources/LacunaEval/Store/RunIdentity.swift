package import LacunaEngine

/// Everything that decides what a measurement yields, besides the item: two records are comparable, and a run may be gone on
/// with, only where these agree.
public struct RunIdentity: Sendable, Equatable {
  /// "tofu", or a plugin's probe as "plugin/probe".
  public var probe: String
  /// SHA-256 of the probe's code.
  public var probeHash: String
  /// The probe's parameters, as JSON with sorted names.
  public var parameters: String
  /// SHA-256 over the data's items.
  public var dataHash: String
  public var modelName: String
  /// The checkpoint's own fingerprint.
  public var modelHash: String
  /// The types that weights run in, the largest share first, behind how they were loaded if not as they are stored:
  /// "e4m3 bf16", "int4 in bf16".
  public var weights: String
  public var precision: String
  public var kvType: String
  /// The instruction set's table: bits may differ between two.
  public var kernels: String
  public var seed: UInt64

  public init(
    probe: String, probeHash: String, parameters: String, dataHash: String, modelName: String, modelHash: String,
    weights: String, precision: String, kvType: String, kernels: String, seed: UInt64
  ) {
    self.probe = probe
    self.probeHash = probeHash
    self.parameters = parameters
    self.dataHash = dataHash
    self.modelName = modelName
    self.modelHash = modelHash
    self.weights = weights
    self.precision = precision
    self.kvType = kvType
    self.kernels = kernels
    self.seed = seed
  }

  /// Names and values in the order of the store's columns. The model's name is for people and decides nothing.
  package var fields: [(name: String, value: String)] {
    [
      ("probe", probe), ("probe_hash", probeHash), ("parameters", parameters), ("data_hash", dataHash),
      ("model", modelName), ("model_hash", modelHash), ("weights", weights), ("precision", precision), ("kv", kvType),
      ("kernels", kernels), ("seed", String(seed)),
    ]
  }

  /// A text among the parameters; nil where they do not say.
  func setting(_ name: String) -> String? {
    guard let value = try? JSONValue.parse(Array(parameters.utf8), file: "parameters"),
      case .string(let text)? = value[name]
    else { return nil }
    return text
  }

  /// Whether it was measured on the same weights in the same arithmetic.
  func isOfModel(_ other: RunIdentity) -> Bool {
    (modelHash, weights, precision, kvType, kernels)
      == (other.modelHash, other.weights, other.precision, other.kvType, other.kernels)
  }

  /// - Throws: `invalidArgument` naming the first field that differs.
  package func check(continues earlier: RunIdentity, in file: String) throws(LacunaError) {
    for (mine, theirs) in zip(fields, earlier.fields) where mine.name != "model" && mine.value != theirs.value {
      throw LacunaError(
        .invalidArgument, file: file, field: mine.name, expected: "\(theirs.value.clipped), as the run began",
        found: mine.value.clipped)
    }
  }
}

extension Engine {
  /// The types that weights are run in, the largest share first ("e4m3 bf16"); behind the choice that brought them there,
  /// which alone tells "fp8 in e4m3 bf16" from "fp8-tensor in e4m3 bf16".
  var ranWeights: String {
    let types = info.weightBytes.sorted { ($0.value, $1.key.rawValue) > ($1.value, $0.key.rawValue) }
      .map(\.key.rawValue).joined(separator: " ")
    guard options.weights != .stored else { return types }
    return "\(options.weights.rawValue) in \(types)" + (options.quantizesHead ? ", head fp8" : "")
  }
}
