import Foundation
import LacunaEngine

/// Files of Tests/Fixtures/gguf, and GGUF headers made by hand.
enum GGUFFixtures {
  static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/gguf/\(name)").path
  }

  static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

  static func json(_ name: String) throws -> JSONValue { try JSONValue.parse(try bytes(name), file: name) }

  /// Element (r, c) of tensor `number`: `value` of make_fixtures.py.
  static func value(_ number: Int, _ r: Int, _ c: Int) -> Float {
    Float((number * 31 + r * 7 + c * 3) % 127 - 63) / 64
  }

  /// A parsed file over bytes in memory.
  static func parse(_ bytes: [UInt8]) throws(LacunaError) -> GGUFFile {
    let owner = OwnedBytes(bytes)
    return try GGUFFile(UnsafeRawBufferPointer(owner.buffer), owner: owner, path: "memory.gguf")
  }
}

/// Bytes that stay where they are until the last user is gone.
final class OwnedBytes: @unchecked Sendable {
  // SAFETY: written once, by init.
  let buffer: UnsafeMutableRawBufferPointer

  init(_ bytes: [UInt8]) {
    buffer = .allocate(byteCount: bytes.count, alignment: 64)
    buffer.copyBytes(from: bytes)
  }

  deinit { buffer.deallocate() }
}

/// A GGUF file put together field by field, so that each can be wrong.
struct GGUFBuilder {
  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  var tensorCount: UInt64?
  var keyCount: UInt64?
  var keys: [[UInt8]] = []
  var tensors: [[UInt8]] = []
  var data = [UInt8](repeating: 0, count: 256)

  mutating func key(_ name: String, _ type: UInt32, _ value: [UInt8]) {
    keys.append(Self.string(name) + Self.le(type) + value)
  }

  mutating func tensor(_ name: String, _ dimensions: [UInt64], type: UInt32 = 0, offset: UInt64 = 0) {
    tensors.append(
      Self.string(name) + Self.le(UInt32(dimensions.count)) + dimensions.flatMap(Self.le) + Self.le(type)
        + Self.le(offset))
  }

  var bytes: [UInt8] {
    var header = magic + Self.le(version) + Self.le(tensorCount ?? UInt64(tensors.count))
    header += Self.le(keyCount ?? UInt64(keys.count)) + keys.flatMap { $0 } + tensors.flatMap { $0 }
    header += [UInt8](repeating: 0, count: (32 - header.count % 32) % 32)
    return header + data
  }

  static func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
  static func string(_ text: String) -> [UInt8] { le(UInt64(text.utf8.count)) + Array(text.utf8) }
}

func floats(hex: JSONValue?) -> [Float] {
  guard case .string(let text) = hex else { return [] }
  let digits = Array(text.utf8)
  func digit(_ byte: UInt8) -> UInt32 { UInt32(byte <= UInt8(ascii: "9") ? byte - 48 : byte - 87) }
  return stride(from: 0, to: digits.count - 7, by: 8).map { start in
    var bits: UInt32 = 0
    for byte in 0..<4 {
      bits |= (digit(digits[start + 2 * byte]) << 4 | digit(digits[start + 2 * byte + 1])) << UInt32(8 * byte)
    }
    return Float(bitPattern: bits)
  }
}
