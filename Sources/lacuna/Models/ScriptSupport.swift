import LacunaEngine
import LacunaScript

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What scripts see of this process.
enum ScriptSupport {
  static func environment(_ model: ModelOptions, seed: UInt64) -> ScriptEnvironment {
    let engines = EngineCache(model)
    var environment = ScriptEnvironment { try engines.engine($0) }
    environment.seed = seed
    let progress = ProgressLine("reading the prompt")
    environment.onProgress = { done, all in
      if all > 1 { progress.update(Double(done) / Double(all)) }
      if done >= all { progress.finish() }
    }
    return environment
  }

  /// Calls `stop` once after Ctrl-C. A handler may do little, so a thread looks at what it has set.
  static func onInterrupt(_ stop: @escaping @Sendable () -> Void) {
    Interrupt.stopBetweenTokens()
    startThread(stackBytes: 1 << 16) {
      while !Interrupt.isRequested { usleep(20_000) }
      stop()
    }
  }

  /// A script's error as this command ends with it: the message, then where it came from.
  static func report(_ error: ScriptError) {
    printToStandardError("lacuna: \(error.description)")
    if let traceback = error.traceback { printToStandardError(traceback) }
  }
}
