import LacunaEngine
import LacunaScript

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What scripts see of this process.
enum ScriptSupport {
  /// - Throws: what is wrong with the plugins that were named.
  static func environment(
    _ model: ModelOptions, seed: UInt64, plugins: PluginOptions
  ) throws(LacunaError) -> ScriptEnvironment {
    let engines = EngineCache(model)
    var environment = ScriptEnvironment { try engines.engine($0) }
    environment.seed = seed
    environment.plugins = try plugins.search()
    let progress = PromptProgress()
    environment.onProgress = { _ = progress.update($0, $1) }
    return environment
  }

  /// Runs a script to its end, or to Ctrl-C.
  /// - Throws: `cancelled` after Ctrl-C; `ScriptError`.
  static func run(_ script: LuaHost.Script, _ arguments: [String], environment: ScriptEnvironment) throws {
    let host = LuaHost(environment)
    Interrupt.watch { host.cancel() }
    do {
      try host.run(script, arguments: arguments)
    } catch {
      // A prompt that was broken off leaves its line behind.
      environment.onProgress?(1, 1)
      if Interrupt.isRequested { throw LacunaError(.cancelled, "interrupted") }
      throw error
    }
  }

  /// Runs lines of this command's own over a request, which they get as JSON in `arg[1]`.
  /// - Throws: as `run`, without a place in those lines, which tells nobody anything.
  static func run(own source: String, named name: String, _ request: JSON, environment: ScriptEnvironment) throws {
    do {
      try run(LuaHost.Script(name: name, source: source), [request.text], environment: environment)
    } catch let error as ScriptError where error.place?.hasPrefix("\(name):") == true {
      throw ScriptError(code: error.code, message: error.message, plugin: error.plugin)
    }
  }

  /// An error of any kind in one line.
  static func text(_ error: any Error) -> String {
    switch error {
    case let error as LacunaError: error.message
    default: ScriptError(any: error).description
    }
  }

  /// A script's error as this command ends with it: the message, then where it came from.
  static func report(_ error: ScriptError) {
    printToStandardError("lacuna: \(error.description)")
    if let traceback = error.traceback { printToStandardError(traceback) }
  }
}
