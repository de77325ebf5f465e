import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// From a directory on disk, its pages in the cache, to the logits after a prompt of 16 tokens; or the memory that is
/// resident then.
final class FirstToken: Measurement {
  enum Figure: String {
    /// Seconds beyond those of the same prompt in an engine that is warm.
    case time = "ttft"
    /// Bytes beyond weights, keys and values, after a prompt of 512 tokens.
    case memory = "resident"
  }

  private let figure: Figure
  private let directory: BenchDirectory
  private let options: Engine.Options
  private var isCached = false

  init(_ figure: Figure, directory: BenchDirectory, options: Engine.Options) {
    self.figure = figure
    self.directory = directory
    self.options = options
  }

  var name: String { figure.rawValue }
  var title: String {
    switch figure {
    case .time: "first token of a mapped directory, beyond the prefill of 16"
    case .memory: "resident beyond weights, keys and values, after a prefill of 512"
    }
  }
  var unit: MeasuredUnit { figure == .time ? .seconds : .bytes }
  var bound: Bound { .budget(figure == .time ? 0.5 : 300e6) }

  func sample() throws -> Double {
    let path = try directory.path()
    if !isCached {
      // Whatever the disk has to be asked for is asked for here.
      _ = try prefill(try Engine.load(path: path, options: options), count: 16)
      isCached = true
    }
    let residentBefore = Self.residentBytes
    let start = ContinuousClock.now
    let engine = try Engine.load(path: path, options: options)
    let session = try prefill(engine, count: figure == .time ? 16 : 512)
    let first = seconds(since: start)
    switch figure {
    case .time:
      let warm = try seconds { _ = try prefill(engine, count: 16) }
      return max(first - warm, 1e-9)
    case .memory:
      let pages = (session.count + 31) / 32 * 32
      let expected =
        engine.weights.matrices.reduce(0) { $0 + $1.byteCount + $1.scaleByteCount }
        + pages * engine.info.kvBytesPerToken
      // The embedding's rows that no token named were never read.
      return Double(max(Self.residentBytes - residentBefore - expected, 1))
    }
  }

  private func prefill(_ engine: Engine, count: Int) throws -> Session {
    let session = try engine.makeSession()
    try session.append((0..<count).map { TokenID(($0 + 1) * 7919 % engine.config.vocabSize) })
    _ = try session.borrowedLogits()
    return session
  }

  /// Of this process; 0 where the system does not say.
  private static var residentBytes: Int {
    #if os(Linux)
      guard let bytes = try? readFile("/proc/self/status", limit: 1 << 16) else { return 0 }
      for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("VmRSS:") {
        return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
      }
    #endif
    return 0
  }
}

/// A checkpoint of a shape with random weights, written once.
final class BenchDirectory {
  private let shape: BenchShape

  init(_ shape: BenchShape) { self.shape = shape }

  /// Writes it if it is not there: as many bytes as the model has weights.
  /// - Throws: `resource` for a full disk, `notFound` without a cache folder, `cancelled`.
  func path() throws(LacunaError) -> String {
    guard let cache = ModelDirectories.cache() else {
      throw LacunaError(.notFound, "a folder for the checkpoint to measure: neither XDG_CACHE_HOME nor HOME is set")
    }
    let folder = "\(cache)/bench"
    let path = "\(folder)/\(shape.rawValue)-fp8"
    if isDirectory(path) { return path }
    let tokenizer = "\(folder)/\(shape.rawValue)-tokenizer"
    for directory in [cache, folder, tokenizer] { mkdir(directory, 0o755) }
    let source = SyntheticSource(config: shape.config, path: tokenizer)
    try source.writeTokenizer()
    let progress = ProgressLine("writing \(path)")
    defer { progress.finish() }
    try Converter.convert(
      source: source, to: path, type: .fp8, progress: { progress.update($0) },
      isCancelled: { Interrupt.isRequested })
    return path
  }
}
