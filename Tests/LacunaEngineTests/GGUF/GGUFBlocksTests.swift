import LacunaEngine
import Testing

@Suite("GGUF blocks")
struct GGUFBlocksTests {
  @Test(
    "decode to the bits that the format's own implementation gives",
    arguments: ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"])
  func decodes(name: String) throws {
    let type = try #require((0..<UInt32(40)).compactMap(GGUFTensorType.init(number:)).first { $0.name == name })
    let encoding = try #require(type.encoding)
    let entry = try #require(try GGUFFixtures.json("blocks.json")[name])
    let expected = floats(hex: entry["values"])
    let raw = floats(hex: entry["blocks"] == nil ? nil : padded(entry["blocks"]))
    #expect(expected.count >= 64)
    // An odd address: blocks need not be aligned.
    let storage = UnsafeMutableRawPointer.allocate(byteCount: raw.count * 4 + 1, alignment: 16)
    defer { storage.deallocate() }
    raw.withUnsafeBytes { (storage + 1).copyMemory(from: $0.baseAddress!, byteCount: raw.count * 4) }
    var found = [Float](repeating: 9, count: expected.count)
    found.withUnsafeMutableBufferPointer {
      GGUFBlocks.decode(encoding, from: storage + 1, count: expected.count, into: $0.baseAddress!)
    }
    for (index, (a, b)) in zip(found, expected).enumerated() where a.bitPattern != b.bitPattern {
      Issue.record("\(name)[\(index)]: expected \(b), found \(a)")
    }
  }

  /// Hex of whole 32-bit words: block sizes are even, not always multiples of four.
  private func padded(_ hex: JSONValue?) -> JSONValue? {
    guard case .string(let text) = hex else { return nil }
    return .string(text + String(repeating: "0", count: (8 - text.utf8.count % 8) % 8))
  }
}
