internal import LacunaEngine

/// Looking inside the model, and changing it for one session.
extension ScriptContext {
  func registerInspection() {
    let (model, session) = (ScriptType.model.name, ScriptType.session.name)
    state.registerWaiting(model, "trace", "model, string|table, table?") { [unowned self] call in
      let options = try call.options(3, Self.traceOptions + ["template", "special", "patches"])
      let object = call.object(1) as ModelObject
      let session = try object.engine.makeSession()
      state.track(session)
      try session.append(try tokens(call, object, options, isContinuation: false))
      try session.use(try patches(options, for: session))
      return try trace(session, options)
    }
    state.registerWaiting(session, "trace", "session, table?") { [unowned self] call in
      try trace(try (call.object(1) as SessionObject).forReading(), try call.options(2, Self.traceOptions))
    }
    func registerState(_ name: String, _ kind: LastStates.Kind) {
      state.registerWaiting(session, name, "session, integer") { [unowned self] call in
        try checkCancellation()
        guard let layer = Int(exactly: call.integer(2) ?? -1) else { throw HostFault.argument(2, "expected a layer") }
        let object = call.object(1) as SessionObject
        let work = LastStateWork(try object.forReading(), kind, layer: layer)
        return .later(
          WaitingCall(work, holding: [object]) {
            [object.view(of: try object.forReading().borrowedState(kind, layer: layer))]
          })
      }
    }
    registerState("hidden", .hidden)
    registerState("lens", .lens)
    state.register(session, "embedding", "session, table?") { [unowned self] call in
      let options = try call.options(2, ["layer", "pooling", "positions"])
      let session = try (call.object(1) as SessionObject).forReading()
      let pooling = try options.choice("pooling", Session.Pooling.self) ?? .mean
      let positions = try ScriptPositions.indexes(try ScriptPositions.read(options, "positions"), count: session.count)
      try checkCancellation()
      let embedding = try session.embedding(
        layer: try options.integer("layer"), pooling: pooling, positions: positions)
      state.charge(tokens: embedding.evaluatedCount)
      return [.vec(embedding.vector)]
    }
    state.register(model, "patch", "model, table") { [unowned self] call in
      [
        .object(
          try makePatch(call.object(1), try call.options(2, ["layer", "at", "add", "replace", "scale", "positions"])))
      ]
    }
  }

  // MARK: Traces

  private static let traceOptions = ["hidden", "attention", "lens", "positions"]

  private func trace(_ session: Session, _ options: OptionTable) throws -> HostAnswer {
    let config = session.engine.config
    var request = Trace.Request()
    request.hidden = try Self.layers(options, "hidden", all: 0...config.numHiddenLayers)
    request.lens = try Self.layers(options, "lens", all: 0...config.numHiddenLayers)
    request.attention = try Self.heads(options, config)
    request.positions = try ScriptPositions.indexes(
      try ScriptPositions.read(options, "positions"), count: session.count)
    // The other half of what a sandboxed script may hold beside its memory limit is for what it gives to the host.
    if let policy = state.policy { request.byteLimit = min(request.byteLimit, policy.memoryBytes / 2) }
    try checkCancellation()
    let work = try TraceWork(of: session, request)
    return .later(
      WaitingCall(work) { [unowned self] in
        // Its memory is on the script's account while the trace is made.
        withExtendedLifetime(session) {}
        state.charge(tokens: work.trace.evaluatedCount)
        return [Self.record(work.trace)]
      })
  }

  /// A list of layers, or "all".
  private static func layers(_ options: OptionTable, _ name: String, all: ClosedRange<Int>) throws -> [Int] {
    switch options[name] {
    case .nil: return []
    case .string("all"): return Array(all)
    case let value: return try numbers(value) { options.fault(name, "\"all\" or a list of layers", $0) }
    }
  }

  /// { [layer] = { head, ... } }, or "all" in place of either.
  private static func heads(_ options: OptionTable, _ config: ModelConfig) throws -> [Int: [Int]] {
    let every = Array(0..<config.numAttentionHeads)
    if case .string("all") = options["attention"] {
      return Dictionary(uniqueKeysWithValues: (1...config.numHiddenLayers).map { ($0, every) })
    }
    let expected = "\"all\" or { [layer] = { head, ... } }"
    guard case .table(let table) = options["attention"] else {
      if options.has("attention") { throw options.fault("attention", expected, options["attention"]) }
      return [:]
    }
    var result: [Int: [Int]] = [:]
    let byLayer =
      table.array.enumerated().map { (key: LuaValue.count($0.offset + 1), value: $0.element) } + table.fields
    for (key, value) in byLayer {
      guard let layer = key.exactInt else {
        throw options.fault("attention", expected, key)
      }
      if case .string("all") = value {
        result[layer] = every
      } else {
        result[layer] = try numbers(value) { options.fault("attention", expected, $0) }
      }
    }
    return result
  }

  private static func numbers(_ value: LuaValue, _ fault: (LuaValue) -> HostFault) throws -> [Int] {
    guard case .table(let table) = value, table.fields.isEmpty else { throw fault(value) }
    return try table.array.map { element in
      guard let number = element.exactInt else { throw fault(element) }
      return number
    }
  }

  /// { tokens, positions, hidden = { [layer] = { [position] = Vec } }, lens = ..., attention = { [layer] = { [head] = ... } } }.
  private static func record(_ trace: Trace) -> LuaValue {
    func byPosition(_ values: (Int) -> UnsafeBufferPointer<Float>) -> LuaValue {
      let vectors = trace.positions.map { LuaValue.ownVector(values($0), owner: trace) }
      // All of them: a plain list.
      guard trace.positions.count < trace.tokens.count else { return .list(vectors) }
      return numbered(zip(trace.positions, vectors).map { ($0 + 1, $1) })
    }
    var heads: [(Int, LuaValue)] = []
    for layer in Set(trace.attentionHeads.map(\.layer)) {
      let ofLayer = trace.attentionHeads.filter { $0.layer == layer }.map { entry in
        (entry.head, byPosition { trace.borrowedAttention(layer, head: entry.head, at: $0) })
      }
      heads.append((layer, numbered(ofLayer)))
    }
    return .record([
      "tokens": .integers(trace.tokens), "positions": .integers(trace.positions.map { Int32($0 + 1) }),
      "hidden": numbered(
        trace.hiddenLayers.map { layer in (layer, byPosition { trace.borrowedHidden(layer, at: $0) }) }),
      "lens": numbered(trace.lensLayers.map { layer in (layer, byPosition { trace.borrowedLens(layer, at: $0) }) }),
      "attention": numbered(heads),
    ])
  }

  private static func numbered(_ entries: [(Int, LuaValue)]) -> LuaValue {
    .table(LuaTable(fields: entries.map { (key: .count($0.0), value: $0.1) }))
  }

  // MARK: Patches

  private func makePatch(_ model: ModelObject, _ options: OptionTable) throws -> PatchObject {
    guard let layer = try options.integer("layer") else { throw HostFault.argument(2, "option 'layer' is missing") }
    let site = try options.choice("at", Patch.Site.self) ?? .residual
    let scale = try options.number("scale").map { Float($0) }
    func vector(_ name: String) throws -> [Float]? {
      guard options.has(name) else { return nil }
      guard let elements = options[name].vectorElements else { throw options.fault(name, "a Vec", options[name]) }
      return elements.map { $0 * (scale ?? 1) }
    }
    let change: Patch.Change
    switch (try vector("add"), try vector("replace"), scale) {
    case (let added?, nil, _): change = .add(added)
    case (nil, let put?, _): change = .replace(put)
    case (nil, nil, let factor?): change = .scale(factor)
    case (nil, nil, nil): throw HostFault.argument(2, "expected one of the options 'add', 'replace' and 'scale'")
    case (_?, _?, _): throw HostFault.argument(2, "option 'replace': expected one of add and replace, found both")
    }
    let patch = try Patch(layer: layer, at: site, change)
    try patch.check(model.engine)
    let object = PatchObject(
      patch, positions: try ScriptPositions.read(options, "positions") ?? .all, engine: model.engine)
    state.track(object)
    return object
  }

  /// The option `patches`, a list, for a session that holds its prompt already.
  func patches(_ options: OptionTable, for session: Session) throws -> [Patch] {
    guard let table = try options.table("patches") else { return [] }
    guard table.fields.isEmpty else { throw options.fault("patches", "a list of patches", options["patches"]) }
    return try table.array.map { element in
      guard case .object(let object) = element, let patch = object as? PatchObject else {
        throw options.fault("patches", "a list of patches, made by model:patch", element)
      }
      guard patch.engine === session.engine else {
        throw HostFault.error(
          code: "bad_argument",
          message: "option 'patches': the patch is one of \(patch.engine.info.name), the session is of "
            + session.engine.info.name)
      }
      return try patch.patch(promptCount: session.count)
    }
  }
}
