internal import LacunaEngine

extension ScriptContext {
  /// `session:generate { decoder = "beam", width = 4 }`: a plugin drives the session, which becomes what it returns.
  ///
  /// Options that are not the host's are the decoder's own. Every session that the decoder made is closed, but for the
  /// one that was returned.
  /// - Returns: { text, tokens, finish, usage, info, repro }.
  func decode(_ object: SessionObject, _ word: String, _ options: LuaTable) throws -> LuaValue {
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

    let outer = plugin.context.madeSessions
    plugin.context.madeSessions = []
    var winner: SessionObject?
    defer {
      for made in plugin.context.madeSessions ?? [] where made.session !== winner { made.session?.close() }
      plugin.context.madeSessions = outer
    }
    let results = try registry.nested {
      try plugin.call(
        decoder.run,
        [
          .object(object), .table(parameters), plugin.makeContext(model: object.model.engine, seed: object.seed),
        ])
    }
    let value = try plugin.value(results, of: label)
    guard case .object(let returned) = value, let returned = returned as? SessionObject,
      returned.model.engine === object.model.engine
    else {
      throw HostFault.error(
        code: "invalid_result", message: "\(label): run must return a session of the same model, found \(value.shown)")
    }
    let info = results.count > 1 ? results[1] : .nil
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
    try reproduction.set(decoder: "\(plugin.name)/\(name)", parameters, plugin, registry)
    return try result(object, promptCount: promptCount, info: info, reproduction)
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
    return .record([
      "text": .string(text), "tokens": .integers(tokens), "finish": finish, "info": info,
      "usage": .record(["prompt_tokens": .count(promptCount), "completion_tokens": .count(tokens.count)]),
      "repro": reproduction.value(tokens: tokens, logProbabilities: []),
    ])
  }
}
