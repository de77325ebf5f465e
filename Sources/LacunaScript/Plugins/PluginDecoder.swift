internal import LacunaEngine

extension ScriptContext {
  /// `session:generate { decoder = "beam", width = 4 }`: a plugin drives the session, which becomes what it returns.
  ///
  /// Options that are not the host's are the decoder's own. Every session that the decoder made is closed, but for the
  /// one that was returned.
  /// - Returns: a call that gives { text, tokens, finish, usage, info, repro }.
  func decode(_ object: SessionObject, _ word: String, _ options: LuaTable) throws -> WaitingCall {
    let (plugin, name, decoder) = try registry.decoder(named: word)
    let label = "decoder \"\(plugin.name)/\(name)\""
    var given = options
    given.fields.removeAll { if case .string("decoder") = $0.key { true } else { false } }
    let parameters = try decoder.schema.resolve(given, subject: label)
    let prompt = try object.forChanging().tokens
    let promptCount = prompt.count
    guard promptCount > 0 else {
      throw LacunaError(.invalidArgument, "\(label): an empty session cannot generate: append a prompt first")
    }

    let work = try registry.call(
      plugin, decoder.run,
      [.object(object), .table(parameters), plugin.makeContext(model: object.model.engine, seed: object.seed)],
      notesSessions: true)
    return WaitingCall(HoldingWork(work, on: object)) { [unowned self] outcome in
      var winner: SessionObject?
      defer { for made in work.madeSessions ?? [] where made.session !== winner { made.session?.close() } }
      try outcome.get()
      let value = try plugin.value(work.results, of: label)
      guard case .object(let returned) = value, let returned = returned as? SessionObject,
        returned.model.engine === object.model.engine
      else {
        throw HostFault.error(
          code: "invalid_result",
          message: "\(label): run must return a session of the same model, found \(value.shown)")
      }
      let info = work.results.count > 1 ? work.results[1] : .nil
      guard try returned.forReading().count >= promptCount else {
        throw HostFault.error(
          code: "invalid_result", message: "\(label): run must return a session that goes on from the prompt")
      }
      if returned !== object {
        try object.adopt(returned)
        winner = returned
      }
      var reproduction = Reproduction(
        engine: object.model.engine, prompt: prompt, seed: object.seed, stream: object.stream)
      reproduction.set(patchCount: try object.forReading().patches.count)
      try reproduction.set(decoder: "\(plugin.name)/\(name)", parameters, plugin, registry)
      return [try result(object, promptCount: promptCount, info: info, reproduction)]
    }
  }

  private func result(
    _ object: SessionObject, promptCount: Int, info: LuaValue, _ reproduction: Reproduction
  ) throws -> LuaValue {
    let session = try object.forReading()
    let tokens = Array(session.tokens[promptCount...])
    var text = ""
    if let tokenizer = session.engine.tokenizer {
      var decoder = StreamDecoder(tokenizer: tokenizer, afterPrompt: true)
      for token in tokens { text += decoder.append(token) }
      text += decoder.flush()
    }
    var finish: LuaValue = .string("length")
    if case .table(let table) = info, case .string = table["finish"] { finish = table["finish"] }
    // No decoder has to tell its own limit from the context's.
    if case .string("length") = finish, session.count >= session.engine.contextLength { finish = .string("context") }
    return .record([
      "text": .string(text), "tokens": .integers(tokens), "finish": finish, "info": info,
      "usage": .record(["prompt_tokens": .count(promptCount), "completion_tokens": .count(tokens.count)]),
      "repro": reproduction.value(tokens: tokens, logProbabilities: []),
    ])
  }
}
