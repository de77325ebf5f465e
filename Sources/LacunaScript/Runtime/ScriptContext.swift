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
  private var models: [ObjectIdentifier: ModelObject] = [:]

  init(state: LuaState, environment: ScriptEnvironment) {
    self.state = state
    self.environment = environment
  }

  /// The one object for an engine, whatever name it was asked for by.
  func model(_ engine: Engine) -> ModelObject {
    if let known = models[ObjectIdentifier(engine)] { return known }
    let model = ModelObject(engine: engine)
    models[ObjectIdentifier(engine)] = model
    return model
  }

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
    registerLog()
    registerJSON()
    registerModel()
    registerVocabulary()
    registerSession()
    registerGeneration()
    registerSampler()
    registerGrammar()
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
