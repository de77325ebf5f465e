internal import LacunaEngine

/// Runs a recorded generation again and compares.
public struct Replay {
  /// One thing that was compared.
  public struct Finding: Sendable {
    public let subject: String
    public let isSame: Bool
    /// What it is, or what was recorded and what was found.
    public let detail: String
  }

  public struct Report: Sendable {
    /// Circumstances: model, kernels, plugins. They may differ without harm.
    public let circumstances: [Finding]
    public let results: [Finding]
    public var isSame: Bool { results.allSatisfy(\.isSame) }
  }

  private let recorded: RecordedResult

  public init(_ recorded: RecordedResult) { self.recorded = recorded }

  /// - Parameter environment: whose default model is the one to run.
  /// - Throws: `unsupported` where a part of what ran is a function of a script; what running throws.
  public func run(_ environment: ScriptEnvironment) throws -> Report {
    guard recorded.scriptParts.isEmpty else {
      throw LacunaError(
        .unsupported,
        "\(recorded.file): \(recorded.scriptParts.joined(separator: ", ")) cannot be run again: the functions are the "
          + "script's; run the script itself, or make a plugin of them")
    }
    let recorded = recorded
    return try ScriptThread.run { () -> Result<Report, any Error> in
      Result { try Self.run(recorded, environment) }
    }.get()
  }

  private static func run(_ recorded: RecordedResult, _ environment: ScriptEnvironment) throws -> Report {
    let registry = PluginRegistry(environment)
    let runtime = try ScriptRuntime(environment, registry: registry)
    let engine = try environment.resolveModel(nil)
    var circumstances = [
      compare("model", recorded.modelDigest, engine.info.fingerprint, shown: engine.info.name),
      compare("weights", recorded.weights ?? "none", engine.info.mainWeightType?.rawValue ?? "none"),
      compare("kernel", recorded.kernel, engine.info.kernels),
      compare("lacuna", recorded.lacuna, LacunaScript.version),
    ]
    for plugin in recorded.plugins {
      let found = try registry.plugin(named: plugin.name)
      circumstances.append(
        compare("plugin \(plugin.name)", plugin.digest, found.digest, shown: "\(found.folder.manifest.version)"))
    }
    let result: (text: String, tokens: [TokenID], logProbabilities: [Float]?)
    do {
      result = try generate(recorded, engine, runtime, registry)
    } catch let failure as LuaFailure {
      // Its value goes with the state.
      throw failure.error
    }
    return Report(circumstances: circumstances, results: compare(recorded, result, engine))
  }

  // MARK: Running

  private static func generate(
    _ recorded: RecordedResult, _ engine: Engine, _ runtime: ScriptRuntime, _ registry: PluginRegistry
  ) throws -> (text: String, tokens: [TokenID], logProbabilities: [Float]?) {
    let context = runtime.context
    let session = try engine.makeSession()
    try session.append(recorded.prompt)
    let object = context.sessionObject(session, context.model(engine), recorded.seed, recorded.stream)
    let given = recorded.options
    if case .table(let decoder) = given["decoder"] {
      guard case .string(let name) = decoder["name"] else { throw fault(recorded, "decoder", given["decoder"]) }
      var parameters = LuaTable()
      if case .table(let table) = decoder["params"].unrecorded { parameters = table }
      guard case .table(let result)? = try context.decode(object, name, parameters).complete().first,
        case .string(let text) = result["text"]
      else { preconditionFailure("a decoder's result is a table with a text") }
      return (text, Array(try object.forReading().tokens[recorded.prompt.count...]), nil)
    }

    var options = Generation.Options()
    options.seed = recorded.seed
    options.stream = recorded.stream
    options.maxTokens = given["max_tokens"].exactInteger.flatMap { Int(exactly: $0) }
    if case .table(let stop) = given["stop"] {
      options.stop = stop.array.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
    let hooks = try hookRun(recorded, object, runtime, registry)
    hooks?.attach(to: &options)
    if case .table = given["grammar"] {
      options.grammar = try GrammarSource(given["grammar"])?.compile()
    }
    let chain = try ChainObject(stages(recorded)).make(
      vocabularySize: engine.config.vocabSize, engine: engine, in: context)
    let running = RunningGeneration(
      try Generation(session: session, chain: chain, options: options), hooks: hooks)
    try running.work(whole: true).run()
    return (running.text, running.tokens, running.logProbabilities)
  }

  private static func fault(_ recorded: RecordedResult, _ name: String, _ value: LuaValue) -> LacunaError {
    LacunaError(
      .malformed, file: recorded.file, field: "repro.options.\(name)", expected: "what lacuna wrote", found: value.shown
    )
  }

  private static func stages(_ recorded: RecordedResult) throws -> [ChainObject.Stage] {
    guard case .table(let list) = recorded.options["sampler"] else {
      throw fault(recorded, "sampler", recorded.options["sampler"])
    }
    return try list.array.map { element in
      guard case .table(let stage) = element, case .string(let name) = stage["name"] else {
        throw fault(recorded, "sampler", element)
      }
      var parameters = LuaTable()
      if case .table(let table) = stage["params"].unrecorded { parameters = table }
      if name.contains("/") { return .plugin(name, parameters) }
      parameters.array = [.string(name)]
      return try ChainObject.read(.list([.table(parameters)])) { .error(code: "malformed", message: $0) }.stages[0]
    }
  }

  private static func hookRun(
    _ recorded: RecordedResult, _ object: SessionObject, _ runtime: ScriptRuntime, _ registry: PluginRegistry
  ) throws -> HookRun? {
    guard case .table(let list) = recorded.options["hooks"] else { return nil }
    let sets = try list.array.map { element -> HookSet in
      if case .string(let plugin) = element { return try registry.hooks(named: plugin) }
      guard case .table(let file) = element, case .string(let path) = file["file"] else {
        throw fault(recorded, "hooks", element)
      }
      let value = try runtime.state.call(try runtime.load(LuaHost.Script(path: path))).first ?? .nil
      return try HookSet(value) { .error(code: "invalid_argument", message: "\(path): \($0)") }
    }
    return try HookRun(HookSet(joining: sets), session: object, in: runtime.state)
  }

  // MARK: Comparing

  private static func compare(_ subject: String, _ recorded: String, _ found: String, shown: String? = nil) -> Finding {
    let isSame = recorded == found
    return Finding(
      subject: subject, isSame: isSame,
      detail: isSame ? shown ?? found : "recorded \(short(recorded)), found \(short(found))")
  }

  private static func compare(
    _ recorded: RecordedResult, _ found: (text: String, tokens: [TokenID], logProbabilities: [Float]?), _ engine: Engine
  ) -> [Finding] {
    func piece(_ token: TokenID) -> String { "\(token) \"\(engine.tokenizer?.piece(token) ?? "")\"" }
    var findings: [Finding] = []
    if let place = difference(recorded.tokens, found.tokens) {
      func shown(_ tokens: [TokenID]) -> String { place < tokens.count ? piece(tokens[place]) : "the end" }
      findings.append(
        Finding(
          subject: "tokens", isSame: false,
          detail: "token \(place + 1): recorded \(shown(recorded.tokens)), found \(shown(found.tokens))"))
    } else {
      findings.append(Finding(subject: "tokens", isSame: true, detail: "\(found.tokens.count)"))
    }
    findings.append(
      Finding(
        subject: "text", isSame: recorded.text == found.text,
        detail: recorded.text == found.text
          ? "\(found.text.count) characters" : "recorded \"\(recorded.text)\", found \"\(found.text)\""))
    guard let new = found.logProbabilities else { return findings }
    if let old = recorded.logProbabilities, let place = difference(old.map(\.bitPattern), new.map(\.bitPattern)) {
      func shown(_ values: [Float]) -> String { place < values.count ? "\(values[place])" : "the end" }
      findings.append(
        Finding(
          subject: "logprobs", isSame: false,
          detail: "token \(place + 1): recorded \(shown(old)), found \(shown(new))"))
    } else if let digest = recorded.digest {
      let isSame = digest == Reproduction.digest(found.tokens, new)
      findings.append(
        Finding(subject: "logprobs", isSame: isSame, detail: isSame ? "bit for bit" : "other bits than those recorded"))
    }
    return findings
  }

  private static func difference<Element: Equatable>(_ a: [Element], _ b: [Element]) -> Int? {
    a == b ? nil : zip(a, b).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(a.count, b.count)
  }

  /// Digests are told apart by their beginnings.
  private static func short(_ text: String) -> String { text.count == 64 ? "\(text.prefix(12))..." : text }
}
