import LacunaEngine
import Synchronization

/// Engines that a script has asked for: each model is loaded once, run as the command line says.
final class EngineCache: Sendable {
  private let options: ModelOptionsValue
  private let engines = Mutex<[String: Engine]>([:])

  /// The values of `ModelOptions`, which is bound to the thread that parsed it.
  struct ModelOptionsValue: Sendable {
    let model: String
    let engine: Engine.Options
  }

  init(_ options: ModelOptions) {
    self.options = ModelOptionsValue(model: options.model, engine: options.engineOptions)
  }

  /// - Parameter name: nil for the model of `--model`.
  func engine(_ name: String?) throws(LacunaError) -> Engine {
    let entry = try ModelChoice.resolve(name ?? options.model)
    if let known = engines.withLock({ $0[entry.path] }) { return known }
    let engine = try ModelOptions.load(entry, options: options.engine)
    engines.withLock { $0[entry.path] = engine }
    return engine
  }
}
