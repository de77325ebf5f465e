internal import LacunaEngine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension ScriptContext {
  func registerModel() {
    let owner = ScriptType.model.name
    state.register(owner, "@info", "model") { [($0.object(1) as ModelObject).info] }
    state.register(owner, "@vocab", "model") { [.object(($0.object(1) as ModelObject).vocabulary)] }
    state.register(owner, "encode", "model, string, table?") { call in
      let options = try call.options(3, ["bos", "special"])
      let ids = try (call.object(1) as ModelObject).tokenizer().encode(
        call.string(2), bos: try options.bool("bos") ?? false, special: try options.bool("special") ?? false)
      return [.integers(ids)]
    }
    state.register(owner, "decode", "model, table") { call in
      [.string(try (call.object(1) as ModelObject).tokenizer().decode(try call.tokens(2)))]
    }
    state.register(owner, "piece", "model, integer") { call in
      let token = try call.token(2)
      let model = call.object(1) as ModelObject
      guard token >= 0, token < model.engine.config.vocabSize else {
        throw HostFault.argument(
          2, "token id out of range: expected 0 to \(model.engine.config.vocabSize - 1), found \(token)")
      }
      return [.string(try model.tokenizer().piece(token))]
    }
    state.register(owner, "is_eog", "model, integer") { call in
      [.bool((call.object(1) as ModelObject).engine.isEndOfGeneration(try call.token(2)))]
    }
    state.register(owner, "session", "model, table?") { [unowned self] call in
      let options = try call.options(2, ScriptPrompt.options + ["seed", "stream", "hooks", "patches"])
      return [.object(try makeSession(call.object(1), options))]
    }
    state.register(owner, "restore", "model, string|snapshot") { [unowned self] call in
      let model = call.object(1) as ModelObject
      if case .object(let object) = call[2], let snapshot = object as? SnapshotObject {
        guard snapshot.session.engine === model.engine else {
          throw HostFault.argument(2, "the snapshot belongs to the model \(snapshot.session.engine.info.name)")
        }
        return [.object(sessionObject(try snapshot.session.fork(), model, snapshot.seed, snapshot.stream))]
      }
      let path = try state.policy?.resolve(call.string(2), writing: false, for: "restore") ?? call.string(2)
      do throws(LacunaError) {
        let session = try Session.restore(from: path, engine: model.engine)
        return [.object(sessionObject(session, model, environment.seed, 0))]
      } catch {
        return [.nil, .error(code: error.code.description, message: error.message)]
      }
    }
    registerScoring(owner)
  }

  func registerVocabulary() {
    let owner = ScriptType.vocab.name
    func vocabulary(_ call: HostCall) -> VocabularyObject { call.object(1) }
    state.register(owner, "@size", "vocab") { [.count(vocabulary($0).engine.config.vocabSize)] }
    state.register(owner, "@bos", "vocab") { call in
      let engine = vocabulary(call).engine
      return [.token(engine.tokenizer?.bos ?? engine.config.bosTokenID)]
    }
    state.register(owner, "@eos", "vocab") { call in
      let engine = vocabulary(call).engine
      return [.token(engine.tokenizer?.eos ?? engine.config.eosTokenIDs.first)]
    }
    state.register(owner, "__eq", "any, any") { call in
      guard case .object(let a) = call[1], case .object(let b) = call[2], let a = a as? VocabularyObject,
        let b = b as? VocabularyObject
      else { return [.bool(false)] }
      return [.bool(a.isEqual(b))]
    }
    state.register(owner, "__len", "vocab") { [.count(vocabulary($0).engine.config.vocabSize)] }
    // vocab:set() is empty, vocab:set(ids) holds those.
    state.register(owner, "set", "vocab, table?") { call in
      let size = vocabulary(call).engine.config.vocabSize
      let ids = call[2].isNil ? [] : try call.tokens(2)
      if let bad = ids.first(where: { $0 < 0 || $0 >= size }) {
        throw HostFault.argument(2, "token id out of range: expected 0 to \(size - 1), found \(bad)")
      }
      return [.tokenSet(TokenMask(size: size, tokens: ids))]
    }
  }
}
