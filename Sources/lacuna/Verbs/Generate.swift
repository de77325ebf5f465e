import ArgumentParser
import LacunaEngine
import LacunaScript

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Go on from a prompt.",
    discussion: """
        lacuna generate --prompt "Once upon a time" --max-tokens 40
        lacuna generate --chat --prompt "Who wrote Hamlet?" --temperature 0 --json
        {"text":"...","ids":[...],"finish":"eos","repro":{...}}

      Text is streamed as it comes, with --json it is printed at the end. "finish" is eos (the model ended its \
      answer), stop (a --stop text or a hook), length (--max-tokens) or context (the model's context is full). With \
      --draft or --lookup, "speculation" counts the tokens guessed ahead, those that came true, and the model's passes. \
      "repro" holds all that the text depends on: `lacuna replay` runs it again and compares.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var prompt: PromptOptions
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var speculation: SpeculationOptions
  @OptionGroup var limits: LengthOptions
  @OptionGroup var plugins: PluginOptions

  @Option(
    help: ArgumentHelp(
      "A Lua file that returns hooks (on_logits, on_token, ...), or a plugin that has some.", valueName: "file"))
  var hooks: String?

  @Option(help: ArgumentHelp("A plugin's way of decoding instead of drawing: beam:width=4.", valueName: "decoder"))
  var decoder: String?

  @Flag(help: "With --json, add the logarithm of each token's probability (\"logprobs\").")
  var logprobs = false

  @Flag(help: "Print one JSON object at the end.")
  var json = false

  func run() throws {
    let environment = try ScriptSupport.environment(model, seed: sampling.seed, plugins: plugins)
    let registry = PluginRegistry(environment)
    let engine = try environment.resolveModel(nil)
    let chain = try sampling.makeChain(for: engine, registry)
    let script = try hooks.map { try makeHooks($0, registry) }
    let (tokens, templateStop) = try prompt.tokens(for: engine, hooks: script, registry)
    if let decoder {
      return try DecoderRun(decoder, maxTokens: limits.givenMaxTokens).run(
        tokens, environment: environment, json: json)
    }
    let session = try engine.makeSession()
    session.onProgress = PromptProgress().update
    try session.append(tokens)

    var options = Generation.Options()
    options.seed = sampling.seed
    options.maxTokens = limits.maxTokens
    options.stop = limits.stop + templateStop
    options.speculation = try speculation.make(for: engine, model)
    options.isCancelled = { Interrupt.isRequested }
    script?.attach(to: &options)
    Interrupt.stopBetweenTokens()

    let generation = try Generation(session: session, chain: chain, options: options)
    var out = StandardOutput()
    let transcript = try run(generation, script, to: &out)
    let added = try script?.finish(text: transcript.text, tokens: transcript.ids, finish: transcript.finish)
    if json {
      let repro = try reproduction(engine, tokens, options, registry)
        .json(tokens: transcript.ids, logProbabilities: transcript.logProbabilities)
      try out.line(transcript.json(withLogProbabilities: logprobs, repro: repro, added: added))
    } else {
      try out.line()
      if let added { try out.line(added) }
    }
    try out.flush()
  }

  private func reproduction(
    _ engine: Engine, _ tokens: [TokenID], _ options: Generation.Options, _ registry: PluginRegistry
  ) throws -> Reproduction {
    var reproduction = Reproduction(engine: engine, prompt: tokens, seed: options.seed, stream: options.stream)
    reproduction.set(maxTokens: options.maxTokens, stop: options.stop)
    try reproduction.set(try registry.complete(try sampling.stages()), registry)
    guard let hooks else { return reproduction }
    if try isPlugin(hooks, registry) {
      try reproduction.set(hooksPlugin: hooks, registry)
    } else {
      try reproduction.set(hooksFile: hooks)
    }
    return reproduction
  }

  func validate() throws {
    if logprobs, !json { throw ValidationError("--logprobs goes with --json") }
    guard decoder != nil else { return }
    if hooks != nil { throw ValidationError("--decoder does not go with --hooks") }
    if !sampling.sampler.isEmpty { throw ValidationError("--decoder replaces --sampler; give one of the two") }
    if let name = sampling.shorthand {
      throw ValidationError(
        "\(name) does not go with --decoder, whose parameters are its own: --decoder NAME:temperature=0.5")
    }
    if speculation.draft != nil || speculation.lookup != nil {
      throw ValidationError("--draft and --lookup do not go with --decoder; there are speculative and prompt-lookup")
    }
    if !limits.stop.isEmpty { throw ValidationError("--decoder does not go with --stop") }
    if logprobs { throw ValidationError("--decoder does not go with --logprobs") }
  }

  /// A file's, or a plugin's: what is no file is a name.
  private func makeHooks(_ word: String, _ registry: PluginRegistry) throws -> HookScript {
    guard try isPlugin(word, registry) else {
      return try HookScript(try LuaHost.Script(path: word), registry: registry)
    }
    return try HookScript(plugin: word, registry: registry)
  }

  private func isPlugin(_ word: String, _ registry: PluginRegistry) throws -> Bool {
    try !fileExists(word) && registry.catalog().find(.hooks, word) != nil
  }

  private func run(
    _ generation: consuming Generation, _ script: HookScript?, to out: inout StandardOutput
  ) throws -> Transcript {
    var transcript = Transcript()
    while true {
      try script?.willStep(generatedCount: generation.generatedCount)
      let next: Generation.Event?
      next = try HookScript.translating { try generation.next() }
      guard let event = next else {
        transcript.speculated = generation.speculated
        return transcript
      }
      try script?.didStep(event, generatedCount: generation.generatedCount)
      transcript.add(event)
      if !json, !event.text.isEmpty {
        try out.write(event.text)
        try out.flush()
      }
    }
  }
}

/// When a generation ends.
struct LengthOptions: ParsableArguments {
  @Option(
    name: .customLong("max-tokens"), help: ArgumentHelp("The most tokens to generate (default: 512).", valueName: "n"))
  var givenMaxTokens: Int?

  var maxTokens: Int { givenMaxTokens ?? 512 }

  @Option(help: "End before this text; may be given several times.")
  var stop: [String] = []

  func validate() throws {
    if maxTokens < 0 { throw ValidationError("--max-tokens: expected 0 or more, found \(maxTokens)") }
    if stop.contains("") { throw ValidationError("--stop: expected a text, found none") }
  }
}

/// What a generation's events add up to.
struct Transcript {
  private(set) var text = ""
  private(set) var ids: [TokenID] = []
  private(set) var logProbabilities: [Float] = []
  private(set) var finish: Generation.Finish?
  var speculated: Speculation.Tally?

  /// Text that a hook took back has been seen already; it stays, while its tokens go.
  mutating func add(_ event: Generation.Event) {
    if event.takenBack > 0 {
      ids.removeLast(min(event.takenBack, ids.count))
      logProbabilities.removeLast(min(event.takenBack, logProbabilities.count))
    }
    if let token = event.token {
      ids.append(token)
      logProbabilities.append(event.logProbability)
    }
    text += event.text
    finish = event.finish ?? finish
  }

  /// - Parameters:
  ///   - repro: a JSON object, as it is.
  ///   - added: a JSON object whose members follow ours.
  func json(withLogProbabilities: Bool, repro: String, added: String?) -> String {
    var members: [(key: String, value: JSON)] = [
      ("text", .string(text)), ("ids", JSON(ids)), ("finish", JSON(finish?.rawValue)),
    ]
    if withLogProbabilities { members.append(("logprobs", JSON(logProbabilities))) }
    if let tally = speculated {
      members.append(
        (
          "speculation",
          ["drafted": .integer(tally.drafted), "accepted": .integer(tally.accepted), "passes": .integer(tally.passes)]
        ))
    }
    let ours = JSON.object(members).text.dropLast() + ",\"repro\":\(repro)}"
    guard let added, added.hasPrefix("{"), added.count > 2 else { return String(ours) }
    return ours.dropLast() + "," + added.dropFirst()
  }
}
