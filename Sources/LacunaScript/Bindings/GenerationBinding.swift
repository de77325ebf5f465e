internal import LacunaEngine

extension ScriptContext {
  func registerGeneration() {
    let owner = ScriptType.session.name
    state.registerWaiting(owner, "generate", "session, table?") { [unowned self] call in
      if case .table(let table) = call[2], case .string(let decoder) = table["decoder"] {
        return .later(try decode(call.object(1), decoder, table))
      }
      // Where the call cannot wait it is refused, and the prompt must not have been appended by then.
      let begin = try prepare(call)
      var running: RunningGeneration?
      let work = LateWork {
        let begun = try begin()
        running = begun
        return begun.work(whole: true)
      }
      return .later(
        WaitingCall(work) { outcome in
          defer { running?.close() }
          try outcome.get()
          return [try running?.result() ?? .nil]
        })
    }
    // The quadruple of a generic for: iterator, nothing, nothing, and the value that closes the generation.
    state.register(owner, "stream", "session, table?") { [unowned self] call in
      let stream = StreamObject(try prepare(call)())
      return [.object(stream), .nil, .nil, .object(stream)]
    }
    state.registerWaiting(ScriptType.stream.name, "__call", "stream, any?, any?") { call in
      let running = (call.object(1) as StreamObject).running
      guard running.isUnderWay else { return .now([.nil]) }
      let work = running.work(whole: false)
      return .later(
        WaitingCall(work) {
          work.event.map { [.string($0.text), RunningGeneration.record($0)] } ?? [.nil]
        })
    }
    state.register(ScriptType.stream.name, "result", "stream") { [try ($0.object(1) as StreamObject).running.result()] }
  }

  /// Checks what was given.
  /// - Returns: begins the generation, with the prompt's tokens in the session.
  private func prepare(_ call: HostCall) throws -> () throws -> RunningGeneration {
    let object = call.object(1) as SessionObject
    let session = try object.forChanging()
    let options = try call.options(
      2,
      ScriptPrompt.options
        + ["max_tokens", "sampler", "stop", "seed", "stream", "logprobs", "hooks", "speculate", "grammar"])
    let prompt = try ScriptPrompt(options)
    try checkCancellation()

    var settings = Generation.Options()
    settings.maxTokens = try options.integer("max_tokens", in: 0...Int.max)
    settings.stop = try options.strings("stop") ?? []
    settings.seed = try options.bits("seed") ?? object.seed
    // Another stream for each try, but forks of a session stay apart.
    settings.stream =
      try options.bits("stream").map { object.stream == 0 ? $0 : SeededRandom.hash(object.stream, $0) } ?? object.stream
    settings.alternatives = try options.integer("logprobs", in: 0...1000) ?? 0
    // Of a stream that has outlived its state.
    settings.isCancelled = { [weak self] in self?.isCancelled ?? true }

    var sets = object.hooks.map { [$0] } ?? []
    if options.has("hooks") {
      let set = try HookSet(options["hooks"], registry: registry) { .argument(2, "option 'hooks': \($0)") }
      if prompt == nil, let moment = [HookSet.Moment.prompt, .tokens].first(where: set.has) {
        throw HostFault.argument(
          2,
          "option 'hooks': \(moment.name) has no prompt to see: give text, messages or tokens to this call, or the hooks to "
            + "model:session")
      }
      sets.append(set)
    }
    let hookSet = sets.isEmpty ? nil : HookSet(joining: sets)
    let hooks = try hookSet.map { try HookRun($0, session: object, in: state) }
    hooks?.attach(to: &settings)
    let trace = environment.trace.map { TokenTrace(session.engine, report: $0) }
    trace?.attach(to: &settings)
    let chain =
      try options.has("sampler")
      ? ChainObject.read(options["sampler"]) { .argument(2, "option 'sampler': \($0)") }
      : ChainObject(SamplerChain.default().map { .native($0) })
    let sampler = try chain.make(
      vocabularySize: session.engine.config.vocabSize, engine: session.engine, in: self)
    // Beside others a pass is full without guesses.
    let speculation = try speculation(options, object)
    settings.speculation = registry.isInCompany ? nil : speculation
    let grammar = try self.grammar(options)
    settings.grammar = grammar?.grammar
    return { [settings, registry] in
      if let prompt {
        try session.append(try prompt.encode(object.model, hooks: hooks, registry, isContinuation: session.count > 0))
      }
      var reproduction = Reproduction(
        engine: session.engine, prompt: session.tokens, seed: settings.seed, stream: settings.stream)
      reproduction.set(maxTokens: settings.maxTokens, stop: settings.stop)
      reproduction.set(patchCount: session.patches.count)
      try reproduction.set(chain, registry)
      try reproduction.set(hookSet, registry)
      reproduction.set("grammar", grammar?.source.value ?? .nil)
      let running = RunningGeneration(
        try Generation(session: session, chain: sampler, options: settings), hooks: hooks, reproduction: reproduction,
        trace: trace)
      object.begin(running)
      return running
    }
  }

  private func grammar(_ options: OptionTable) throws -> GrammarObject? {
    switch options["grammar"] {
    case .nil: return nil
    case .object(let object):
      guard let object = object as? GrammarObject else { fallthrough }
      return object
    default: throw options.fault("grammar", "a grammar made by lacuna.grammar", options["grammar"])
    }
  }

  /// `speculate = { lookup = n, draft = model, tokens = n }`; the session keeps what the draft model has read for its next generation.
  private func speculation(_ options: OptionTable, _ object: SessionObject) throws -> Speculation? {
    guard let table = try options.table("speculate") else { return nil }
    let given = try OptionTable(table, ["lookup", "draft", "tokens"], argument: 2)
    var choice = Speculation.Options(
      lookup: try given.integer("lookup"), guessCount: try given.integer("tokens"))
    switch given["draft"] {
    case .nil: break
    case .object(let draft):
      guard let draft = draft as? ModelObject else { fallthrough }
      choice.draft = draft.engine
    default: throw given.fault("draft", "a model", given["draft"])
    }
    guard choice.lookup != nil || choice.draft != nil else {
      throw options.fault("speculate", "lookup or draft", options["speculate"])
    }
    let engine = try object.forReading().engine
    if let known = object.speculation, known.options.isEqual(to: choice) { return known }
    let made = try Speculation(engine: engine, options: choice)
    object.speculation = made
    return made
  }
}

extension Speculation.Options {
  fileprivate func isEqual(to other: Self) -> Bool {
    lookup == other.lookup && draft === other.draft && guessCount == other.guessCount
  }
}
