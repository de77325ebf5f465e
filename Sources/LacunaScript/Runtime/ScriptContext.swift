internal import LacunaEngine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// What the bindings of one state share.
final class ScriptContext {
  unowned let state: LuaState
  let environment: ScriptEnvironment
  /// The plugins that this state can call; of a plugin's state, the registry that loaded it.
  unowned let registry: PluginRegistry
  /// The registry, but not in a plugin's state, which the registry itself owns.
  private let ownRegistry: PluginRegistry?
  /// Sessions that the call of the plugin that runs here has made, so that a decoder's losers can be closed; nil while none
  /// runs.
  var madeSessions: [WeakSession]?

  struct WeakSession {
    weak var session: SessionObject?
  }

  init(state: LuaState, environment: ScriptEnvironment, registry: PluginRegistry) {
    self.state = state
    self.environment = environment
    self.registry = registry
    ownRegistry = state.plugin == nil ? registry : nil
  }

  /// The one object for an engine, whatever name it was asked for by.
  func model(_ engine: Engine) -> ModelObject { registry.model(engine) }

  /// os.getenv for the variables that a sandboxed script was granted.
  private func registerEnvironment() {
    guard let policy = state.policy else { return }
    let names = policy.capabilities.compactMap { if case .environment(let name) = $0 { name } else { nil } }
    if names.isEmpty { return }
    state.register("os", "getenv", "string") { call in
      let name = call.string(1)
      try policy.check(.environment(name), for: "os.getenv")
      return [.text(getenv(name).map { String(cString: $0) })]
    }
  }

  var isCancelled: Bool { state.shouldReturn }

  /// - Throws: `cancelled` once the script was asked to stop.
  func checkCancellation() throws {
    if isCancelled { throw HostFault.error(code: "cancelled", message: "interrupted") }
  }

  /// Every function of every module.
  func registerAll() throws {
    registerLacuna()
    registerParallel()
    registerLog()
    registerJSON()
    registerStats()
    registerText()
    registerModel()
    registerDistributions()
    registerVocabulary()
    registerSession()
    registerInspection()
    registerGeneration()
    registerSampler()
    registerGrammar()
    registerPlugins()
    if environment.isTesting { registerTest() }
    try state.set("lacuna", "version", .string(LacunaScript.version))
    try state.set("lacuna", "api", .integer(1))
    registerEnvironment()
    try state.freeze()
  }
}

/// What LacunaScript is.
public enum LacunaScript {
  public static let version = "0.1.0"
  /// The level of the Lua API: adding to it is free, changing it raises the level.
  public static let apiLevel = 1
}
