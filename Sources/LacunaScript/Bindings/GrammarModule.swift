internal import LacunaEngine

/// A grammar, as scripts hold it.
final class GrammarObject: ScriptObject {
  static var scriptType: ScriptType { .compiledgrammar }
  let grammar: Grammar
  let source: GrammarSource

  /// - Throws: what is wrong with the source.
  init(_ source: GrammarSource) throws(LacunaError) {
    grammar = try source.compile()
    self.source = source
  }
}

/// A place in a grammar, for a script's own decoding loop.
final class MatcherObject: ScriptObject {
  static var scriptType: ScriptType { .matcher }
  var matcher: GrammarMatcher
  init(_ matcher: GrammarMatcher) { self.matcher = matcher }
}

extension ScriptContext {
  /// `lacuna.grammar`: json, gbnf, regex, choice.
  func registerGrammar() {
    func make(_ source: GrammarSource) -> [LuaValue] {
      do throws(LacunaError) {
        return [.object(try GrammarObject(source))]
      } catch {
        return [.nil, .error(code: error.code.description, message: error.message)]
      }
    }
    state.register("lacuna.grammar", "json", "table|string|boolean, table?") { call in
      let isCompact = try call.options(2, ["whitespace"]).choice("whitespace", JSONSchemaReader.Whitespace.self)
      let schema =
        if case .string(let text) = call[1] { text } else {
          try OrderedJSON(schema: call[1]) { .argument(1, $0) }.text
        }
      return make(GrammarSource(.json, [schema], isCompact: isCompact == .compact))
    }
    state.register("lacuna.grammar", "gbnf", "string") { call in
      make(GrammarSource(.gbnf, [call.string(1)]))
    }
    state.register("lacuna.grammar", "regex", "string") { call in
      make(GrammarSource(.regex, [call.string(1)]))
    }
    state.register("lacuna.grammar", "choice", "table") { call in
      guard case .table(let list) = call[1], list.fields.isEmpty, !list.array.isEmpty else {
        throw HostFault.argument(1, "expected a list of strings, found \(call[1].shown)")
      }
      let texts = try list.array.map { element in
        guard case .string(let text) = element else {
          throw HostFault.argument(1, "expected strings, found \(element.shown)")
        }
        return text
      }
      return make(GrammarSource(.choice, texts))
    }
    registerMatching()
  }

  private func registerMatching() {
    let owner = ScriptType.compiledgrammar.name
    state.register(owner, "accepts", "compiledgrammar, string, table?") { call in
      let grammar = (call.object(1) as GrammarObject).grammar
      let isPartial = try call.options(3, ["partial"]).bool("partial") ?? false
      return [.bool(try isPartial ? grammar.acceptsPrefix(call.string(2)) : grammar.accepts(call.string(2)))]
    }
    state.register(owner, "matcher", "compiledgrammar, model") { call in
      let engine = (call.object(2) as ModelObject).engine
      return [.object(MatcherObject(try GrammarMatcher((call.object(1) as GrammarObject).grammar, engine: engine)))]
    }
    let matcher = ScriptType.matcher.name
    func object(_ call: HostCall) -> MatcherObject { call.object(1) }
    // The tokens that may come next; those that end an answer are among them where the text is whole.
    state.register(matcher, "mask", "matcher") { call in
      [.tokenSet(try object(call).matcher.mask())]
    }
    state.register(matcher, "accept", "matcher, integer") { call in
      try object(call).matcher.accept(try call.token(2))
      return [.receiver]
    }
    state.register(matcher, "is_accepting", "matcher") { [.bool(object($0).matcher.isAccepting)] }
    state.register(matcher, "is_finished", "matcher") { [.bool(object($0).matcher.isFinished)] }
    state.register(matcher, "fork", "matcher") { [.object(MatcherObject(object($0).matcher))] }
  }
}

extension OrderedJSON {
  /// A schema from Lua, whose tables have no order: properties that are required come first, in the order in which they
  /// are required, and the others by name.
  init(schema value: LuaValue, _ fault: (String) -> HostFault) throws {
    switch value {
    case .null, .nil: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(Int(value))
    case .number(let value):
      guard value.isFinite else { throw fault("JSON has no \(value)") }
      self = .double(value)
    case .string(let text): self = .string(text)
    case .table(let table): self = try Self.container(table, fault)
    default: throw fault("a \(value.kind) is not plain data")
    }
  }

  private static func container(_ table: LuaTable, _ fault: (String) -> HostFault) throws -> OrderedJSON {
    if table.fields.isEmpty, table.isMarkedAsArray || !table.array.isEmpty {
      return .array(try table.array.map { try OrderedJSON(schema: $0, fault) })
    }
    guard table.array.isEmpty else {
      throw fault("a table has both list elements and named fields, which JSON has not")
    }
    var members: [(name: String, value: OrderedJSON)] = []
    for (key, value) in table.fields {
      guard case .string(let name) = key else { throw fault("expected names as keys, found \(key.shown)") }
      members.append((name, try OrderedJSON(schema: value, fault)))
    }
    members.sort { $0.name < $1.name }
    var order: [String: Int] = [:]
    if case .array(let names)? = members.first(where: { $0.name == "required" })?.value {
      for case .string(let name) in names { order[name] = order[name] ?? order.count }
    }
    if let index = members.firstIndex(where: { $0.name == "properties" }),
      case .object(let properties) = members[index].value
    {
      members[index].value = .object(
        properties.sorted { (order[$0.name] ?? .max, $0.name) < (order[$1.name] ?? .max, $1.name) })
    }
    return .object(members)
  }
}
