internal import CZlib

extension Statistics {
  /// The bytes that a text takes when zlib compresses it at its default level, as Python's `zlib.compress` does: a bound on its
  /// information that knows no language.
  public static func zlibSize(_ text: String) -> Int {
    let bytes = Array(text.utf8)
    var size = compressBound(UInt(bytes.count))
    var room = [UInt8](repeating: 0, count: Int(size))
    let status = compress(&room, &size, bytes, UInt(bytes.count))
    precondition(status == 0, "zlib failed with \(status) in the room that it asked for")
    return Int(size)
  }
}
