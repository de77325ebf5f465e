import Crypto

/// A session on disk: tokens, keys and values, and what they belong to.
///
/// Layout, little-endian: "LACUNAS1"; UInt32 length and UTF-8 of the model's fingerprint; UInt32 length and UTF-8 of the
/// form of keys and values; UInt32 token count; UInt32 evaluated count; the tokens as Int32; the pages; SHA-256 of all
/// before it.
extension Session {
  private static let magic = Array("LACUNAS1".utf8)

  /// Writes tokens, keys and values, beside `path` first and then renamed, with the model's fingerprint.
  /// - Throws: `resource` naming the file; `unsupported` for a session with patches, which the file would not hold.
  public func save(to path: String) throws(LacunaError) {
    guard patches.isEmpty else {
      throw LacunaError(
        .unsupported, "\(path): a session with patches cannot be saved: its keys and values are no longer the model's")
    }
    let file = try AtomicFile(path: path)
    var digest = SHA256()
    func write(_ bytes: UnsafeRawBufferPointer) throws(LacunaError) {
      digest.update(bufferPointer: bytes)
      try file.write(bytes)
    }
    var header = Self.magic
    header.append(text: engine.info.fingerprint)
    header.append(text: engine.pageForm)
    header.append(integer: UInt32(tokens.count))
    header.append(integer: UInt32(evaluatedCount))
    for token in tokens { header.append(integer: UInt32(bitPattern: token)) }
    try header.withBytes(write)
    for index in 0..<Self.pageCount(evaluatedCount) { try write(pages.bytes(ofPage: index)) }
    try Array(digest.finalize()).withBytes { (bytes) throws(LacunaError) in try file.write(bytes) }
    try file.commit()
  }

  /// A session as `save` left it; its first logits are computed when they are asked for.
  /// - Throws: `malformed` for a file that is damaged or not a session, `invalidArgument` where it belongs to another
  ///   model or another form of keys and values; all name the file.
  public static func restore(from path: String, engine: Engine) throws(LacunaError) -> Session {
    let file = try MappedFile(path: path)
    defer { withExtendedLifetime(file) {} }
    var reader = SnapshotReader(bytes: file.bytes, path: path)
    guard try reader.bytes(magic.count, "magic").elementsEqual(magic) else {
      throw LacunaError(.malformed, file: path, field: "magic", expected: "LACUNAS1", found: "something else")
    }
    let fingerprint = try reader.text("model")
    guard fingerprint == engine.info.fingerprint else {
      throw LacunaError(
        .invalidArgument, file: path, field: "model", expected: engine.info.fingerprint, found: fingerprint)
    }
    let form = try reader.text("keys and values")
    guard form == engine.pageForm else {
      throw LacunaError(
        .invalidArgument, file: path, field: "keys and values", expected: engine.pageForm, found: form)
    }
    let count = Int(try reader.integer("token count"))
    let evaluated = Int(try reader.integer("evaluated count"))
    guard count <= engine.contextLength, evaluated <= count else {
      throw LacunaError(
        .malformed, file: path, field: "token count",
        expected: "at most \(engine.contextLength), all evaluated ones among them",
        found: "\(count), \(evaluated) evaluated")
    }
    var tokens: [TokenID] = []
    for _ in 0..<count {
      let token = TokenID(bitPattern: try reader.integer("tokens"))
      guard token >= 0, token < engine.config.vocabSize else {
        throw LacunaError(
          .malformed, file: path, field: "tokens", expected: "ids below \(engine.config.vocabSize)", found: "\(token)")
      }
      tokens.append(token)
    }
    let pages = KVPages(pool: engine.pagePool, positionCapacity: engine.contextLength)
    for _ in 0..<pageCount(evaluated) {
      try pages.append(try reader.bytes(pages.pageBytes, "pages"))
    }
    let digest = SHA256.hash(data: UnsafeRawBufferPointer(rebasing: file.bytes[..<reader.position]))
    guard try reader.bytes(32, "digest").elementsEqual(Array(digest)), reader.isAtEnd else {
      throw LacunaError(.malformed, file: path, field: "digest", expected: "that of the content", found: "another")
    }
    let session = try Session(engine: engine)
    session.adopt(tokens: tokens, evaluatedCount: evaluated, pages: pages)
    return session
  }

  private static func pageCount(_ positions: Int) -> Int {
    (positions + KVLayout.pagePositions - 1) / KVLayout.pagePositions
  }
}

extension Engine {
  /// What two engines over one checkpoint must agree on for one to go on from the other's pages.
  fileprivate var pageForm: String {
    "\(info.kvType.rawValue) layers=\(config.numHiddenLayers) heads=\(config.numKeyValueHeads) "
      + "dim=\(config.headDim) page=\(KVLayout.pagePositions) weights=\(options.weights.rawValue)"
      + "\(options.quantizesHead ? " head" : "") precision=\(options.precision.rawValue)"
  }
}

/// Reads a snapshot front to back and never past its end.
private struct SnapshotReader {
  private let all: UnsafeRawBufferPointer
  private let path: String
  private(set) var position = 0

  init(bytes: UnsafeRawBufferPointer, path: String) {
    all = bytes
    self.path = path
  }

  var isAtEnd: Bool { position == all.count }

  mutating func bytes(_ count: Int, _ field: String) throws(LacunaError) -> UnsafeRawBufferPointer {
    guard count <= all.count - position else {
      throw LacunaError(
        .malformed, file: path, field: field, expected: "\(count) bytes", found: "\(all.count - position)")
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: all[position..<position + count])
  }

  mutating func integer(_ field: String) throws(LacunaError) -> UInt32 {
    UInt32(littleEndian: try bytes(4, field).loadUnaligned(as: UInt32.self))
  }

  mutating func text(_ field: String) throws(LacunaError) -> String {
    let count = Int(try integer(field))
    guard count <= 4096 else {
      throw LacunaError(.malformed, file: path, field: field, expected: "at most 4096 bytes", found: "\(count)")
    }
    return String(decoding: try bytes(count, field), as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate mutating func append(integer: UInt32) {
    Swift.withUnsafeBytes(of: integer.littleEndian) { append(contentsOf: $0) }
  }

  fileprivate mutating func append(text: String) {
    append(integer: UInt32(text.utf8.count))
    append(contentsOf: text.utf8)
  }

  fileprivate func withBytes(_ body: (UnsafeRawBufferPointer) throws(LacunaError) -> Void) throws(LacunaError) {
    var result: Result<Void, LacunaError> = .success(())
    withUnsafeBytes { bytes in result = Result { () throws(LacunaError) in try body(bytes) } }
    try result.get()
  }
}
