import Synchronization

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
    /// Activations of 16 bits into products, bfloat16 but for `avx512fp16`'s; float32 elsewhere.
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
    /// The kernel table in use ("amx").
    public let kernels: String
    public let threadCount: Int
    public let kvType: KVType
    public let kvBytesPerToken: Int
    /// Bytes that a pass's scratch memory may grow to.
    public let scratchBytes: Int
    /// What was odd about the checkpoint, and harmless.
    public let warnings: [String]
  }

  public let info: Info
  public let config: ModelConfig
  public let options: Options
  /// nil for a checkpoint that ships none.
  public let tokenizer: (any Tokenizer)?
  public let chatTemplate: String?
  let model: LlamaModel
  let runner: PassRunner
  let pagePool: KVPagePool
  let guessingRecords = GuessingRecords()
  private let trie = Mutex<TokenTrie?>(nil)

  /// - Parameter path: a Hugging Face directory or a GGUF file.
  /// - Throws: `notFound`, `unreadable`, `malformed` or `unsupported`, naming file and field.
  public static func load(path: String, name: String? = nil, options: Options = Options()) throws(LacunaError) -> Engine
  {
    let source = try CheckpointLoader.open(path)
    let weights = try CheckpointLoader.weights(
      of: source, choice: options.weights, quantizesHead: options.quantizesHead, progress: options.progress)
    return try Engine(
      config: source.config, weights: weights, tokenizer: try source.makeTokenizer(),
      chatTemplate: source.chatTemplate, name: name ?? lastComponent(of: path), path: path,
      stored: source.formatDescription, fingerprint: source.fingerprint, warnings: source.warnings,
      options: options)
  }

  /// An engine over weights that are in memory already.
  package init(
    config: ModelConfig, weights: ModelWeights, tokenizer: (any Tokenizer)? = nil, chatTemplate: String? = nil,
    name: String = "unnamed", path: String = "", stored: String = "in memory", fingerprint: String = "",
    warnings: [String] = [], options: Options = Options()
  ) throws(LacunaError) {
    let kvType = options.kvType ?? (options.precision == .f32 ? .f32 : .bf16)
    let threadCount = options.threadCount ?? ThreadTeam.physicalCoreCount
    try Kernels.checkEnvironment()
    guard (1...256).contains(threadCount) else {
      throw LacunaError(.invalidArgument, "threads: expected 1 to 256, found \(threadCount)")
    }
    model = LlamaModel(config: config, weights: weights, precision: options.precision, kvType: kvType)
    runner = try PassRunner(model: model, team: .shared(threadCount: threadCount))
    pagePool = KVPagePool(pageBytes: model.pageBytes)
    self.config = config
    self.options = options
    self.tokenizer = tokenizer
    self.chatTemplate = chatTemplate
    info = Info(
      name: name, path: path, stored: stored, weightBytes: weights.byteCounts,
      parameterCount: weights.parameterCount, fingerprint: fingerprint, kernels: model.kernels.name,
      threadCount: threadCount, kvType: kvType, kvBytesPerToken: model.pageBytes / KVLayout.pagePositions,
      scratchBytes: runner.scratchBytes, warnings: warnings)
  }

  /// The most tokens that a session may hold.
  public var contextLength: Int { config.contextLength }

  /// The same weights, run with other options; nothing is loaded or copied.
  package convenience init(sharing other: Engine, options: Options) throws(LacunaError) {
    try self.init(
      config: other.config, weights: other.model.weights, tokenizer: other.tokenizer,
      chatTemplate: other.chatTemplate, name: other.info.name, path: other.info.path, stored: other.info.stored,
      fingerprint: other.info.fingerprint, warnings: other.info.warnings, options: options)
  }

  /// An empty timeline over this model.
  /// - Throws: `resource`; as `Session.use` for patches.
  public func makeSession(patches: [Patch] = []) throws(LacunaError) -> Session {
    let session = try Session(engine: self)
    try session.use(patches)
    return session
  }

  /// Whether the token ends a generation.
  public func isEndOfGeneration(_ token: TokenID) -> Bool { config.eosTokenIDs.contains(token) }

  /// The vocabulary as a tree, made when it is first asked for; nil without a tokenizer.
  func tokenTrie() -> TokenTrie? {
    guard let tokenizer else { return nil }
    return trie.withLock { trie in
      let made = trie ?? TokenTrie(tokenizer, vocabularySize: config.vocabSize)
      trie = made
      return made
    }
  }

  /// Passes that were run so far, and tokens that they evaluated.
  package var passTally: (passes: Int, tokens: Int) { runner.tally }

  /// What a pass multiplies by.
  package var weights: ModelWeights { model.weights }

  /// Runs `body` on each of the threads that run passes, side by side, with the thread's number and how many there are.
  package func onEveryThread(_ body: @escaping (Int, Int) -> Void) { runner.onEveryThread(body) }

  private static func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

extension ModelWeights {
  /// Every matrix once: a tied head is its embedding.
  package var matrices: [WeightMatrix] {
    var all = [embedding]
    for layer in layers {
      all += layer.linears.map(\.weight)
    }
    if head.weight.data != embedding.data { all.append(head.weight) }
    return all
  }

  var byteCounts: [WeightType: Int] {
    matrices.reduce(into: [:]) { $0[$1.type, default: 0] += $1.byteCount }
  }

  var parameterCount: Int {
    let vectors = layers.reduce(norm.count) { sum, layer in
      let biases = layer.linears.reduce(0) { $0 + ($1.bias?.count ?? 0) }
      return sum + layer.inputNorm.count + layer.postAttentionNorm.count + biases
    }
    return matrices.reduce(vectors) { $0 + $1.rows * $1.cols }
  }
}
