public import LacunaEngine
internal import Synchronization

/// Runs a user's own scripts: one Lua state a run, on a thread of its own, with the stock libraries.
public final class LuaHost: Sendable {
  public struct Script: Sendable {
    /// As tracebacks show it; "@" marks a file's path.
    public let chunkName: String
    public let source: [UInt8]
    /// Where `require` looks first.
    public let folder: String?

    /// - Parameter name: shown in messages.
    public init(name: String, source: String) {
      chunkName = "=\(name)"
      self.source = Array(source.utf8)
      folder = nil
    }

    /// - Throws: `unreadable` or `notFound`, naming the file.
    public init(path: String) throws(LacunaError) {
      chunkName = "@\(path)"
      source = try ScriptFile.read(path)
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
    }
  }

  public let environment: ScriptEnvironment
  private let running = Mutex<RunningState>(RunningState())

  private struct RunningState: @unchecked Sendable {
    // SAFETY: used from other threads for `interrupt` alone, which the bridge allows; set and cleared under the mutex.
    var state: LuaState?
    var isCancelled = false
  }

  public init(_ environment: ScriptEnvironment) { self.environment = environment }

  /// Runs a script to its end and waits for it.
  /// - Parameter arguments: its `...`, and the global table `arg` as Lua's own interpreter sets it.
  /// - Throws: what the script did not catch; code "cancelled" after `cancel`.
  public func run(_ script: Script, arguments: [String] = []) throws(ScriptError) {
    let result = ScriptThread.run { () -> Result<Void, ScriptError> in
      Result { () throws(ScriptError) in try self.runHere(script, arguments) }
    }
    try result.get()
  }

  private func runHere(_ script: Script, _ arguments: [String]) throws(ScriptError) {
    let runtime = try ScriptRuntime(environment)
    running.withLock { running in
      running.state = runtime.state
      if running.isCancelled { runtime.state.interrupt() }
    }
    // Before the state goes, so that `cancel` never meets one that is gone.
    defer { running.withLock { $0.state = nil } }
    do {
      try runtime.state.withCall {
        let chunk = try runtime.load(script)
        var arg = LuaTable(array: arguments.map { .string($0) })
        arg.fields = [(.integer(0), .string(String(script.chunkName.dropFirst())))]
        try runtime.state.set(nil, "arg", .table(arg))
        try runtime.state.call(chunk, arguments.map { .string($0) }, wantsResults: false)
      }
    } catch {
      throw ScriptError(error)
    }
  }

  /// Stops a running script between two tokens or two instructions, or the next one at once. From any thread.
  public func cancel() {
    running.withLock { running in
      running.isCancelled = true
      running.state?.interrupt()
    }
  }
}

/// A state with every binding.
package final class ScriptRuntime {
  package let state: LuaState
  let context: ScriptContext

  /// - Parameters:
  ///   - registry: the plugins that the state can call; nil for one of its own.
  ///   - plugin: the name of the one that the state belongs to, which the registry owns; nil for a script's.
  ///   - policy: what that plugin may; nil for the environment's.
  package init(
    _ environment: ScriptEnvironment, registry: PluginRegistry? = nil, plugin: String? = nil,
    policy: SandboxPolicy? = nil
  ) throws(ScriptError) {
    precondition(ScriptThread.hasRoom, "Lua needs a stack of \(ScriptThread.leastRoom) bytes")
    state = try LuaState(
      memoryCap: environment.memoryCap, policy: policy ?? environment.sandbox, seed: environment.seed,
      write: environment.write)
    state.plugin = plugin
    context = ScriptContext(
      state: state, environment: environment, registry: registry ?? PluginRegistry(environment))
    do { try context.registerAll() } catch { throw ScriptError(error) }
  }

  func load(_ script: LuaHost.Script) throws -> LuaReference {
    if let folder = script.folder { try state.setSearchFolder(folder) }
    return try state.load(script.source, name: script.chunkName)
  }
}

extension ScriptError {
  /// Of whatever running Lua throws.
  package init(any error: any Error) { self.init(error) }

  init(_ error: any Error) {
    switch error {
    case let error as ScriptError: self = error
    case let failure as LuaFailure: self = failure.error
    case let error as LacunaError: self.init(code: error.code.description, message: error.message)
    case HostFault.argument(_, let message): self.init(code: "bad_argument", message: message)
    case HostFault.error(let code, let message): self.init(code: code, message: message)
    default: self.init(code: "error", message: "\(error)")
    }
  }
}
