import Crypto

/// An identity of a checkpoint's content that does not take reading all of it.
enum CheckpointFingerprint {
  /// Of each end of a tensor.
  private static let sampleByteCount = 4096

  /// SHA-256, in hex, over config.json, every header, and the first and last 4 KiB of every tensor.
  static func make(config: [UInt8], shards: ShardSet) -> String {
    var hash = SHA256()
    add(config, to: &hash)
    for file in shards.files {
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: file.file.bytes[..<file.headerByteCount]))
      for tensor in file.tensors {
        let bytes = file.bytes(of: tensor)
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes.prefix(sampleByteCount)))
        hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: bytes.suffix(sampleByteCount)))
      }
    }
    return hash.finalize().hexadecimal
  }

  /// With its length, so that its end cannot be taken for the beginning of what follows.
  private static func add(_ bytes: [UInt8], to hash: inout SHA256) {
    withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { hash.update(bufferPointer: $0) }
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
  }
}
