internal import LacunaEngine

extension ScriptContext {
  func sessionObject(_ session: Session, _ model: ModelObject, _ seed: UInt64, _ stream: UInt64) -> SessionObject {
    session.onProgress = promptProgress
    return made(SessionObject(session: session, model: model, seed: seed, stream: stream, account: state.account))
  }

  /// Takes note of a session that this state made.
  private func made(_ session: SessionObject) -> SessionObject {
    state.settle()
    madeSessions?.append(WeakSession(session: session))
    return session
  }

  func makeSession(_ model: ModelObject, _ options: OptionTable) throws -> SessionObject {
    let session = try model.engine.makeSession()
    let object = sessionObject(
      session, model, try options.bits("seed") ?? environment.seed, try options.bits("stream") ?? 0)
    var hooks: HookRun?
    if options.has("hooks") {
      let set = try HookSet(options["hooks"], registry: registry) { options.fault("hooks", $0, options["hooks"]) }
      object.hooks = set
      hooks = try HookRun(set, session: object, in: state)
    }
    if let prompt = try ScriptPrompt(options) {
      try session.append(try prompt.encode(model, hooks: hooks, registry, isContinuation: false))
    }
    try session.use(try patches(options, for: session))
    return object
  }

  func registerSession() {
    let owner = ScriptType.session.name
    func object(_ call: HostCall) -> SessionObject { call.object(1) }
    registerEditing(owner)
    state.register(owner, "__len", "session") { [.count(try object($0).forReading().count)] }
    state.register(owner, "@model", "session") { [.object(object($0).model)] }
    state.register(owner, "@seed", "session") { [.integer(Int64(bitPattern: object($0).seed))] }
    state.register(owner, "tokens", "session, integer?, integer?") { call in
      let tokens = try object(call).forReading().tokens
      return [.integers(Array(tokens[Self.slice(call, tokens.count)]))]
    }
    state.register(owner, "text", "session, integer?, integer?") { call in
      let tokens = try object(call).forReading().tokens
      let range = Self.slice(call, tokens.count)
      let tokenizer = try object(call).model.tokenizer()
      // Behind other tokens a leading space is the text's own.
      var decoder = StreamDecoder(
        tokenizer: tokenizer,
        afterPrompt: range.lowerBound > 0 && !tokens[..<range.lowerBound].allSatisfy(tokenizer.isControl))
      var text = ""
      for token in tokens[range] { text += decoder.append(token) }
      return [.string(text + decoder.flush())]
    }
    state.registerWaiting(owner, "logits", "session") { [unowned self] call in
      try checkCancellation()
      let awaited = object(call)
      if try awaited.forReading().hasLogits { return .now([try awaited.logitsView()]) }
      return .later(
        WaitingCall(LogitsWork([try awaited.forReading()]), holding: [awaited]) { [try awaited.logitsView()] })
    }
    state.register(owner, "fork", "session") { [unowned self] call in
      [.object(made(try object(call).fork(account: state.account)))]
    }
    state.register(owner, "snapshot", "session") { [unowned state] call in
      let session = try object(call).forReading().fork()
      state.track(session)
      return [.object(SnapshotObject(session: session, seed: object(call).seed, stream: object(call).stream))]
    }
    let policy = state.policy
    func save(_ session: Session, _ path: String) throws -> [LuaValue] {
      let path = try policy?.resolve(path, writing: true, for: "save") ?? path
      do throws(LacunaError) {
        try session.save(to: path)
        return [.receiver]
      } catch {
        return [.nil, .error(code: error.code.description, message: error.message)]
      }
    }
    state.register(owner, "save", "session, string") { try save(object($0).forReading(), $0.string(2)) }
    state.register(ScriptType.snapshot.name, "save", "snapshot, string") { call in
      try save((call.object(1) as SnapshotObject).session, call.string(2))
    }
    state.register(ScriptType.snapshot.name, "__len", "snapshot") {
      [.count(($0.object(1) as SnapshotObject).session.count)]
    }
  }

  private func registerEditing(_ owner: String) {
    func object(_ call: HostCall) -> SessionObject { call.object(1) }
    state.register(owner, "append", "session, string|table, table?") { [unowned self] call in
      let session = try object(call).forChanging()
      let options = try call.options(3, ["template", "special"])
      try session.append(
        try tokens(call, object(call).model, options, isContinuation: session.count > 0))
      return [.receiver]
    }
    state.register(owner, "push", "session, integer") { call in
      try object(call).forChanging().append(try call.token(2))
      return [.receiver]
    }
    state.register(owner, "mark", "session") { [.count(try object($0).forReading().count)] }
    state.register(owner, "rewind", "session, integer") { call in
      guard let count = Int(exactly: call.integer(2) ?? -1) else { throw HostFault.argument(2, "expected a count") }
      try object(call).forChanging().rewind(to: count)
      return [.receiver]
    }
  }

  /// A call's second argument: text, messages under a template, or token ids.
  func tokens(
    _ call: HostCall, _ model: ModelObject, _ options: OptionTable, isContinuation: Bool
  ) throws -> [TokenID] {
    switch call[2] {
    case .string(let text):
      return try model.tokenizer().encode(
        text, bos: !isContinuation, special: try options.bool("special") ?? false)
    case .table(let table) where table.array.first.map { $0.exactInteger == nil } ?? false:
      let template = try registry.template(try options.string("template"), for: model.engine)
      let messages = try ChatMessage.list(call[2]) {
        .argument(2, "expected text, token ids or { role = , content = }, found \($0.shown)")
      }
      return try template.encode(messages, with: try model.tokenizer(), isContinuation: isContinuation)
    default:
      return try call.tokens(2)
    }
  }

  /// As string.sub reads (i, j): from 1, negative ones from the end.
  private static func slice(_ call: HostCall, _ count: Int) -> Range<Int> {
    func place(_ value: Int64) -> Int {
      value < 0 ? max(count + max(Int(value), -count - 1) + 1, 0) : Int(clamping: value)
    }
    let first = max(place(call.integer(2) ?? 1), 1)
    let last = min(place(call.integer(3) ?? -1), count)
    return first <= last ? first - 1..<last : 0..<0
  }
}
