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
    /// Bytes that the process has grown by after a prompt of 512 tokens.
    case memory = "resident"
  }

  private let figure: Figure
  private let directory: BenchDirectory
  private let options: Engine.Options
  private var isCached = false
  /// Of weights, keys and values, as the last sample had them.
  private var expectedBytes = 0

  init(_ figure: Figure, directory: BenchDirectory, options: Engine.Options) {
    self.figure = figure
    self.directory = directory
    self.options = options
  }

  var name: String { figure.rawValue }
  var title: String {
    switch figure {
    case .time: "first token of a mapped directory, beyond the prefill of 16"
    case .memory: "resident after a prefill of 512; weights, keys, values and 300 MB"
    }
  }
  var unit: MeasuredUnit { figure == .time ? .seconds : .bytes }
  var bound: Bound { .budget(figure == .time ? 0.5 : Double(expectedBytes) + 300e6) }

  func sample() throws -> Double {
    let path = try directory.path()
    if !isCached {
      // Whatever the disk has to be asked for is asked for here.
      _ = try prefill(try Engine.load(path: path, options: options), count: 16)
      isCached = true
    }
    let residentBefore = figure == .memory ? try Self.residentBytes() : 0
    let start = ContinuousClock.now
    let engine = try Engine.load(path: path, options: options)
    let session = try prefill(engine, count: figure == .time ? 16 : 512)
    // Its pages do not serve the warm prefill.
    defer { withExtendedLifetime(session) {} }
    let first = seconds(since: start)
    switch figure {
    case .time:
      let warm = try seconds { _ = try prefill(engine, count: 16) }
      return max(first - warm, 1e-9)
    case .memory:
      let pages = (session.count + 31) / 32 * 32
      expectedBytes =
        engine.weights.matrices.reduce(0) { $0 + $1.byteCount + $1.scaleByteCount }
        + pages * engine.info.kvBytesPerToken
      return Double(try Self.residentBytes() - residentBefore)
    }
  }

  private func prefill(_ engine: Engine, count: Int) throws -> Session {
    let session = try engine.makeSession()
    try session.append((0..<count).map { TokenID(($0 + 1) * 7919 % engine.config.vocabSize) })
    _ = try session.borrowedLogits()
    return session
  }

  /// Of this process.
  /// - Throws: `unsupported` where the system does not say.
  private static func residentBytes() throws(LacunaError) -> Int {
    // Not `readFile`: files of the kernel have no size.
    if let file = fopen("/proc/self/statm", "r") {
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 256)
      if fgets(&line, Int32(line.count), file) != nil {
        let fields = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
          .split(separator: " ")
        if fields.count > 1, let pages = Int(fields[1]) { return pages * Int(getpagesize()) }
      }
    }
    throw LacunaError(.unsupported, "resident: this system has no /proc/self/statm")
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
