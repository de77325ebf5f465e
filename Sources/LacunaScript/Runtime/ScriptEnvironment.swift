public import LacunaEngine

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// What a script's host decides.
public struct ScriptEnvironment: Sendable {
  public enum LogLevel: String, Sendable {
    case debug, info, warn, error
  }

  /// The engine that a name stands for; nil is the default model.
  /// - Throws: `LacunaError`: scripts get it as `nil, err`.
  public var resolveModel: @Sendable (String?) throws -> Engine
  /// Of sessions that name none, and of math.random.
  public var seed: UInt64 = 0
  /// Bytes that Lua may hold; nil for no cap. A sandboxed script has its policy's.
  public var memoryCap: Int?
  /// What a script that is not trusted may; nil for the user's own.
  public var sandbox: SandboxPolicy?
  /// Takes what scripts print; nil for standard output.
  public var write: (@Sendable (UnsafeRawBufferPointer) -> Void)?
  /// Takes what lacuna.log is given, one line at a time; by default it goes to standard error.
  public var log: @Sendable (LogLevel, String) -> Void = { level, line in
    writeToStandardError("\(level.rawValue): \(line)\n")
  }
  /// Told of each token that session:generate and session:stream draw; nil for nobody.
  public var trace: (@Sendable (TracedStep) -> Void)?
  /// Told of a long prompt's evaluation, tokens done and in all.
  public var onProgress: (@Sendable (Int, Int) -> Void)?

  /// Where plugins are looked for.
  public var plugins = PluginSearch()

  /// Whether scripts get `lacuna.test`.
  var isTesting = false

  public init(resolveModel: @escaping @Sendable (String?) throws -> Engine) {
    self.resolveModel = resolveModel
  }
}

private func writeToStandardError(_ text: String) {
  text.withBytes { bytes, count in _ = write(STDERR_FILENO, bytes, count) }
}
