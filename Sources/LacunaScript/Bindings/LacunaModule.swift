internal import LacunaEngine

extension ScriptContext {
  /// `lacuna`: models, batched passes.
  func registerLacuna() {
    state.register("lacuna", "model", "string?") { [unowned self] call in
      var name: String?
      if case .string(let text) = call[1] { name = text }
      if let policy = state.policy {
        try policy.checkModel()
        // A path would read the file system by way of the model's loader.
        if let name, name.contains("/") || name.hasPrefix(".") || name.hasPrefix("~") {
          throw HostFault.error(
            code: "denied",
            message: "\(policy.name): a sandboxed script names models, found the path \"\(name.prefix(60))\"")
        }
      }
      do {
        return [.object(model(try environment.resolveModel(name)))]
      } catch let error as LacunaError {
        return [.nil, .error(code: error.code.description, message: error.message)]
      }
    }
    // One pass a model for everything that is pending.
    state.registerWaiting("lacuna", "forward", "table") { [unowned self] call in
      guard case .table(let list) = call[1], list.fields.isEmpty else {
        throw HostFault.argument(1, "expected a list of sessions")
      }
      var sessions: [SessionObject] = []
      for (position, element) in list.array.enumerated() {
        guard case .object(let object) = element, let object = object as? SessionObject else {
          throw HostFault.argument(1, "expected sessions, found \(element.kind) at \(position + 1)")
        }
        _ = try object.forChanging()
        sessions.append(object)
      }
      try checkCancellation()
      let work = LogitsWork(try sessions.map { try $0.forReading() })
      return .later(WaitingCall(work, holding: sessions) { [] })
    }
  }
}
