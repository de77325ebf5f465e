internal import LacunaEngine

extension ScriptContext {
  /// `lacuna`: plugin, pipeline, tool, render.
  func registerPlugins() {
    // What a plugin's file returns, checked where it is written.
    state.register("lacuna", "plugin", "table") { call in
      _ = try PluginKinds(call[1]) { .argument(1, $0) }
      return [.receiver]
    }
    state.registerWaiting("lacuna", "pipeline", "string, table?") { [unowned self] call in
      try later {
        try registry.pipelineCall(call.string(1), input: call.table(2))
      } result: {
        .table($0)
      }
    }
    state.registerWaiting("lacuna", "tool", "string, table?") { [unowned self] call in
      try later {
        try registry.toolCall(call.string(1), call.table(2))
      } result: {
        $0
      }
    }
    // Messages (or one question) under a template, as text.
    state.register("lacuna", "render", "string, string|table, model?") { [unowned self] call in
      var engine: Engine?
      if case .object(let model) = call[3] { engine = (model as? ModelObject)?.engine }
      let messages: [ChatMessage]
      if case .string(let question) = call[2] {
        messages = [ChatMessage(role: "user", content: question)]
      } else {
        messages = try ChatMessage.list(call[2]) {
          .argument(2, "expected text or { role = , content = }, found \($0.shown)")
        }
      }
      return [.string(try registry.template(call.string(1), for: engine).render(messages).map(\.text).joined())]
    }
  }

  private func later<Output>(
    _ begin: () throws -> (work: PluginCall, output: () throws -> Output), result: @escaping (Output) -> LuaValue
  ) throws -> HostAnswer {
    var call: (work: PluginCall, output: () throws -> Output)?
    let refusal = try Self.expected {
      call = try begin()
      return .nil
    }
    guard let call else { return .now(refusal) }
    return .later(
      WaitingCall(call.work) { outcome in
        try Self.expected {
          try outcome.get()
          return result(try call.output())
        }
      })
  }

  /// A value, or nil and the error where something outside the caller's hands went wrong.
  private static func expected(_ body: () throws -> LuaValue) throws -> [LuaValue] {
    do {
      return [try body()]
    } catch HostFault.error(let code, let message) where code != "cancelled" {
      return [.nil, .error(code: code, message: message)]
    } catch let failure as LuaFailure where failure.error.code != "cancelled" {
      return [.nil, .error(code: failure.error.code, message: failure.error.description)]
    } catch let error as ScriptError where error.code == "limit" {
      // The plugin's own: a caller that is beyond one does not come back here.
      return [.nil, .error(code: error.code, message: error.description)]
    }
  }
}

extension HostCall {
  /// The table at `index`; an empty one where it is absent.
  fileprivate func table(_ index: Int) -> LuaTable {
    if case .table(let table) = self[index] { table } else { LuaTable() }
  }
}
