/// A stage of a sampler chain as a user writes it: `{"min_p", p = 0.05}`, `min_p:p=0.05`.
public struct StageDescription: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    case number(Double)
    case bool(Bool)
    case text(String)
    case numbers([Double])
    case texts([String])
    case biases([TokenID: Float])
  }

  public var name: String
  public var parameters: [String: Value]

  public init(_ name: String, _ parameters: [String: Value] = [:]) {
    self.name = name
    self.parameters = parameters
  }
}

/// What a stage is called, does and takes: the source of help texts, documents and script bindings.
public struct StageSchema: Sendable, Equatable {
  /// One parameter. Its name, kind and interval are checked when a chain is built.
  public struct Parameter: Sendable, Equatable {
    public enum Kind: String, Sendable {
      case number, integer, bool, texts, biases
    }

    public let name: String
    public let kind: Kind
    /// Taken when the user names none.
    public let defaultValue: StageDescription.Value
    /// For numbers and integers, both ends allowed.
    public let interval: ClosedRange<Double>
    /// One line.
    public let meaning: String
  }

  public let name: String
  /// Whether it ends a chain by choosing the token.
  public let isSelector: Bool
  /// Whether the most probable token stays the most probable one, so that greedy decoding may leave the stage out.
  public let keepsArgmax: Bool
  /// One line.
  public let meaning: String
  /// The first one is what a bare value stands for: `top_k:40`.
  public let parameters: [Parameter]
}
