import LacunaEngine
import Testing

@Suite("GGUF headers")
struct GGUFFileTests {
  private func refusal(_ edit: (inout GGUFBuilder) -> Void) throws -> LacunaError {
    var builder = GGUFBuilder()
    edit(&builder)
    return try #require(throws: LacunaError.self) { _ = try GGUFFixtures.parse(builder.bytes) }
  }

  private func le(_ value: UInt64) -> [UInt8] { GGUFBuilder.le(value) }

  @Test("versions 2 and 3 are read, with every kind of value")
  func readsValues() throws {
    var builder = GGUFBuilder()
    builder.version = 2
    builder.key("u8", 0, [200])
    builder.key("i8", 1, [0xFF])
    builder.key("f32", 6, GGUFBuilder.le(Float(0.5).bitPattern))
    builder.key("f64", 12, GGUFBuilder.le((-0.25).bitPattern))
    builder.key("flag", 7, [1])
    builder.key("text", 8, GGUFBuilder.string("größer"))
    builder.key("u64", 10, GGUFBuilder.le(UInt64.max))
    builder.key("list", 9, GGUFBuilder.le(UInt32(8)) + le(2) + GGUFBuilder.string("a") + GGUFBuilder.string(""))
    builder.key("ids", 9, GGUFBuilder.le(UInt32(5)) + le(2) + GGUFBuilder.le(Int32(-1)) + GGUFBuilder.le(Int32(7)))
    builder.tensor("t", [4, 3], offset: 32)
    let file = try GGUFFixtures.parse(builder.bytes)
    #expect(try file.integer("u8", in: 0...255) == 200)
    #expect(try file.integer("i8", in: -5...5) == -1)
    #expect(try file.real("f32", in: 0...1) == 0.5)
    #expect(try file.real("f64", in: -1...0) == -0.25)
    #expect(try file.bool("flag") == true)
    #expect(try file.string("text") == "größer")
    #expect(try file.strings("list") == ["a", ""])
    #expect(try file.integers("ids") == [-1, 7])
    #expect(try file.string("absent") == nil)
    #expect(throws: LacunaError.self) { try file.integer("u64", in: 0...Int.max) }
    #expect(throws: LacunaError.self) { try file.string("flag") }
    let tensor = try #require(file.tensors.first)
    #expect(tensor.rows == 3 && tensor.cols == 4 && tensor.byteCount == 48)
    #expect(tensor.byteOffset == file.dataOffset + 32)
  }

  @Test("a wrong magic, version or byte order is refused by name")
  func refusesOtherFiles() throws {
    #expect(try refusal { $0.magic = Array("GGML".utf8) }.message.contains("magic: expected GGUF"))
    #expect(try refusal { $0.version = 1 }.code == .unsupported)
    #expect(try refusal { $0.version = UInt32(3).byteSwapped }.message.contains("3, big endian"))
  }

  @Test("counts beyond what the file can hold are refused before anything is made of them")
  func refusesCounts() throws {
    #expect(try refusal { $0.keyCount = 1 << 40 }.message.contains("key count"))
    #expect(try refusal { $0.tensorCount = 1 << 63 }.message.contains("tensor count"))
    #expect(
      try refusal { $0.key("a", 9, GGUFBuilder.le(UInt32(0)) + le(1 << 50)) }.message.contains("a: expected an array"))
    #expect(try refusal { $0.key("a", 8, le(2 << 20)) }.message.contains("at most 1048576 bytes"))
    #expect(try refusal { $0.key("a", 8, le(1 << 16)) }.message.contains("left in the file"))
  }

  @Test("unknown types, bad bools, deep arrays and doubled keys are refused")
  func refusesValues() throws {
    #expect(try refusal { $0.key("a", 13, [0]) }.message.contains("value type"))
    #expect(try refusal { $0.key("a", 7, [2]) }.message.contains("bool"))
    let inner = GGUFBuilder.le(UInt32(0)) + le(0)
    let middle = GGUFBuilder.le(UInt32(9)) + le(1) + inner
    #expect(throws: Never.self) {
      var builder = GGUFBuilder()
      builder.key("a", 9, middle)
      _ = try GGUFFixtures.parse(builder.bytes)
    }
    #expect(try refusal { $0.key("a", 9, GGUFBuilder.le(UInt32(9)) + le(1) + middle) }.message.contains("2 deep"))
    #expect(
      try refusal {
        $0.key("a", 7, [1])
        $0.key("a", 7, [1])
      }.message.contains("each key once"))
    #expect(try refusal { $0.key("", 7, [1]) }.message.contains("a name in UTF-8"))
  }

  @Test("an alignment that is no power of two, or above 64 Ki, is refused", arguments: [0, 3, 48, 1 << 17, UInt32.max])
  func refusesAlignment(_ alignment: UInt32) throws {
    let error = try refusal { $0.key("general.alignment", 4, GGUFBuilder.le(alignment)) }
    #expect(error.message.contains("general.alignment"))
  }

  @Test("tensors that do not lie within the file, aligned and apart, are refused")
  func refusesTensors() throws {
    #expect(try refusal { $0.tensor("t", [1, 1, 1, 1, 1]) }.message.contains("1 to 4 dimensions"))
    #expect(try refusal { $0.tensor("t", []) }.message.contains("1 to 4 dimensions"))
    #expect(try refusal { $0.tensor("t", [4, 0]) }.message.contains("above 0"))
    #expect(try refusal { $0.tensor("t", [1 << 40, 1 << 40]) }.message.contains("product is a size"))
    #expect(try refusal { $0.tensor("t", [UInt64.max]) }.message.contains("t: dimensions"))
    #expect(try refusal { $0.tensor("t", [4], type: 4) }.message.contains("t: type"))
    #expect(try refusal { $0.tensor("t", [33], type: 2) }.message.contains("whole Q4_0 blocks"))
    #expect(try refusal { $0.tensor("t", [4], offset: 8) }.message.contains("a multiple of 32"))
    #expect(try refusal { $0.tensor("t", [64], offset: 32) }.message.contains("t: offset"))
    #expect(try refusal { $0.tensor("t", [4], offset: UInt64.max) }.message.contains("t: offset"))
    #expect(
      try refusal {
        $0.tensor("t", [4])
        $0.tensor("t", [4], offset: 32)
      }.message.contains("each tensor once"))
    #expect(
      try refusal {
        $0.tensor("t", [16])
        $0.tensor("u", [4], offset: 32)
      }.message.contains("bytes shared with t"))
  }

  @Test("a file cut off anywhere is refused", arguments: ["tiny-spm.gguf", "tiny-bpe.gguf"])
  func refusesTruncation(name: String) throws {
    let bytes = try GGUFFixtures.bytes(name)
    let dataOffset = try GGUFFixtures.parse(bytes).dataOffset
    for length in Array(0..<dataOffset) + [bytes.count / 2, bytes.count - 1] {
      #expect(throws: LacunaError.self) { _ = try GGUFFixtures.parse(Array(bytes[..<length])) }
    }
  }

  @Test("a header with bytes changed is read or refused, never worse", arguments: ["tiny-spm.gguf", "tiny-bpe.gguf"])
  func survivesMutation(name: String) throws {
    let bytes = try GGUFFixtures.bytes(name)
    let dataOffset = try GGUFFixtures.parse(bytes).dataOffset
    var random = SplitMix(state: 7)
    var refused = 0
    for _ in 0..<1500 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        changed[Int.random(in: 0..<dataOffset, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      }
      do throws(LacunaError) {
        let source = try GGUFSource(try GGUFFixtures.parse(changed))
        _ = try source.makeTokenizer()
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100)
  }
}

/// Steele, Lea and Flood 2014: a small seeded generator.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
