/// A loaded model: immutable, shared, safe to use from any thread.
public final class Engine: Sendable {
  public struct Options: Sendable {
    /// How weights are run.
    public var weights: WeightChoice = .stored
    /// Whether `weights = .fp8` takes the output head (lm_head) along.
    public var quantizesHead = false
    public var precision: Precision = .fast
    /// nil: bf16, or f32 with `precision = .f32`.
    public var kvType: KVType?
    /// nil: one for each physical core.
    public var threadCount: Int?
    /// Called now and then while loading, with 0...1.
    public var progress: (@Sendable (Double) -> Void)?

    public init() {}
  }

  /// The arithmetic of a forward pass.
  public enum Precision: String, Sendable, CaseIterable {
    /// bfloat16 activations into products, float32 elsewhere.
    case fast
    /// float32 throughout.
    case f32
  }

  public enum KVType: String, Sendable, CaseIterable {
    case f32, bf16, fp8
  }

  public struct Info: Sendable {
    public let name: String
    public let path: String
    /// What is on disk ("compressed-tensors float-quantized, channel").
    public let stored: String
    /// What is run, by type: bytes of all weights.
    public let weightBytes: [WeightType: Int]
    public let parameterCount: Int
    /// SHA-256 that identifies the checkpoint's content.
    public let fingerprint: String
    /// The kernel table in use ("avx512bf16").
    public let kernels: String
    public let threadCount: Int
    public let kvBytesPerToken: Int
  }

  public let info: Info
  public let config: ModelConfig
  public let options: Options
  /// nil for a checkpoint that ships none.
  public let tokenizer: (any Tokenizer)?
  public let chatTemplate: String?

  /// - Parameter path: a Hugging Face directory or a GGUF file.
  public static func load(path: String, name: String? = nil, options: Options = Options()) throws(LacunaError) -> Engine {
    fatalError("in progress")
  }

  init() { fatalError("in progress") }

  /// An empty timeline over this model.
  public func makeSession() -> Session { fatalError("in progress") }

  /// Whether the token ends a generation.
  public func isEndOfGeneration(_ token: TokenID) -> Bool { config.eosTokenIDs.contains(token) }
}
