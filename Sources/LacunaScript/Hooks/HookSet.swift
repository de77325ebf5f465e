internal import LacunaEngine

/// Hooks that stand beside a generation: one table of functions, or several.
final class HookSet {
  /// When a hook is called.
  enum Moment: Int, CaseIterable {
    case prompt, tokens, logits, token, text, finish

    /// As scripts write it.
    var name: String { "on_\(self)" }
  }

  struct Hook {
    let name: String
    let priority: Double
    let functions: [Moment: LuaReference]
    /// The plugin that provides them, kept while they are in use; nil for a script's.
    let owner: Plugin?
  }

  /// By priority, the lowest first, then by name.
  let hooks: [Hook]

  /// - Parameters:
  ///   - value: { on_token = fn, ..., name =, priority = }, the name of a plugin, or a list of such.
  ///   - given: what they are called where they do not say so; nil numbers them.
  ///   - owner: see `Hook.owner`.
  ///   - registry: knows the plugins that are named.
  init(
    _ value: LuaValue, named given: String? = nil, owner: Plugin? = nil, registry: PluginRegistry? = nil,
    _ fault: (String) -> HostFault
  ) throws {
    let tables: [LuaValue]
    switch value {
    case .string: tables = [value]
    case .table(let table):
      tables = table.array.isEmpty ? [value] : table.array
      guard table.array.isEmpty || table.fields.isEmpty else {
        throw fault("expected one table of hooks or a list of them, found both")
      }
    default: throw fault("expected a table of hooks or a plugin's name, found \(value.kind)")
    }
    var hooks: [Hook] = []
    for (index, element) in tables.enumerated() {
      if case .string(let plugin) = element, let registry {
        hooks += try registry.hooks(named: plugin).hooks
        continue
      }
      guard case .table(let table) = element else { throw fault("expected tables of hooks, found \(element.kind)") }
      var functions: [Moment: LuaReference] = [:]
      var name = given ?? (tables.count == 1 ? "hooks" : "hooks \(index + 1)")
      var priority = 0.0
      for (key, value) in table.fields {
        guard case .string(let key) = key else { throw fault("hooks have names, found a \(key.kind)") }
        switch (key, value) {
        case ("name", .string(let text)): name = text
        case ("priority", _) where value.double != nil: priority = value.double ?? 0
        case ("name", _), ("priority", _): throw fault("'\(key)' must be a string or number, found \(value.kind)")
        default:
          guard let moment = Moment.allCases.first(where: { $0.name == key }) else {
            throw fault("unknown hook '\(key)'\(NearestName.hint(key, in: Moment.allCases.map(\.name)))")
          }
          guard case .function(let function) = value else {
            throw fault("'\(key)' must be a function, found \(value.kind)")
          }
          functions[moment] = function
        }
      }
      hooks.append(Hook(name: name, priority: priority, functions: functions, owner: owner))
    }
    self.hooks = hooks.sorted { ($0.priority, $0.name) < ($1.priority, $1.name) }
  }

  init(joining sets: [HookSet]) {
    hooks = sets.flatMap(\.hooks).sorted { ($0.priority, $0.name) < ($1.priority, $1.name) }
  }

  func has(_ moment: Moment) -> Bool { hooks.contains { $0.functions[moment] != nil } }
}
