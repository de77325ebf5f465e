import LacunaEngine
import LacunaTestSupport
import Testing

@Suite("Safetensors files")
struct SafetensorsTests {
  private let keeper = Keeper()

  private func open(_ bytes: [UInt8]) throws -> SafetensorsFile {
    let directory = try TemporaryDirectory()
    return keeper.keep(try SafetensorsFile(path: try directory.write(bytes, to: "x.safetensors")))
  }

  @Test("tensors are found in the order of their bytes, at their offsets")
  func good() throws {
    let file = try open(
      safetensors([
        .f32("b", [2, 1], [1, 2]), TensorBytes("none", "I64", [0, 3], []), .bf16("a", [], [3]),
        TensorBytes("flags", "BOOL", [3], [0, 1, 1]),
      ]))
    #expect(file.tensors.map(\.name) == ["b", "none", "a", "flags"])
    #expect(file.tensors.map(\.shape) == [[2, 1], [0, 3], [], [3]])
    #expect(Array(file.bytes(of: file.tensors[3])) == [0, 1, 1])
    #expect(Array(file.bytes(of: file.tensors[0])) == [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
  }

  /// Of one tensor "a" in 8 bytes of data.
  private static func entry(_ type: String = "F32", _ shape: String = "[2]", _ offsets: String = "[0,8]") -> String {
    #""a":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
  }

  @Test(
    "a header that breaks a rule is refused, naming file and field",
    arguments: [
      ("{\(entry("F32", "[1]"))}", "a.data_offsets: expected 4 bytes"),
      ("{\(entry("F32", "[2]", "[0,12]"))}", "a.data_offsets: expected two rising offsets within 8"),
      ("{\(entry("F32", "[2]", "[8,0]"))}", "a.data_offsets"),
      ("{\(entry("F32", "[1]", "[4,8]"))}", "a.data_offsets: expected a start of 0"),
      ("{\(entry("F32", "[1]", "[0,4]"))}", "data: expected 4 bytes"),
      (#"{\#(entry()),"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "data_offsets: expected a start of"),
      ("{\(entry()),\(entry())}", "distinct names"),
      ("{\(entry("F32", "[-2]"))}", "a.shape: expected numbers from 0 up"),
      ("{\(entry("F32", "[2.0]"))}", "expected an integer"),
      ("{\(entry("F32", "[2]", "[0,99999999999999999999]"))}", "expected an integer"),
      ("{\(entry("F32", "[4611686018427387904,4]"))}", "a.shape"),
      ("{\(entry("F32", "[1,1,1,1,1,1,1,1,2]"))}", "a.shape: expected at most 8"),
      ("{\(entry("F4"))}", "a.dtype"),
      (#"{"a":{"dtype":"F32","shape":[2]}}"#, "one of them missing"),
      (#"{"a":{"dtype":"F32","x":1,"shape":[2],"data_offsets":[0,8]}}"#, "found \"x\""),
      ("{\(entry("F32", "[2]", "[0,8,9]"))}", "a.data_offsets"),
      (#"{"a":1}"#, "expected an object"),
      (#"{"__metadata__":{"a":1}}"#, "expected a string"),
      (#"["a"]"#, "expected '{' at byte 8"),
      (" {}", "expected '{' at byte 8"),
      ("{} x", "expected the end"),
    ])
  func refusals(header: String, message: String) throws {
    let error = try #require(throws: LacunaError.self) {
      _ = try open(safetensors(header: header, data: [UInt8](repeating: 0, count: 8)))
    }
    #expect(error.message.contains("x.safetensors") && error.message.contains(message), "\(error)")
  }

  @Test("a header length beyond the file or the bound is refused", arguments: [0, 1, 3, 1 << 20, 1 << 40, UInt64.max])
  func length(value: UInt64) throws {
    let error = try #require(throws: LacunaError.self) { _ = try open(littleEndian(value) + Array("{}".utf8)) }
    #expect(error.message.contains("header length"))
  }

  @Test("a long header of nothing is read, and a deep one refused", .timeLimit(.minutes(1)))
  func longHeader() throws {
    let spaces = "{" + String(repeating: " ", count: 20_000_000) + "}"
    #expect(try open(safetensors(header: spaces, data: [])).tensors.isEmpty)
    let nested = #"{"a":"# + String(repeating: "[", count: 1_000_000)
    #expect(throws: LacunaError.self) { _ = try open(safetensors(header: nested, data: [])) }
  }

  @Test("a file cut at any offset is refused, and so is one with a byte too many")
  func truncation() throws {
    let bytes = safetensors([.f32("a", [2], [1, 2]), .bf16("b", [3], [1, 2, 3])])
    for length in 0..<bytes.count {
      #expect(throws: LacunaError.self, "\(length)") { _ = try open(Array(bytes[..<length])) }
    }
    #expect(throws: LacunaError.self) { _ = try open(bytes + [0]) }
  }
}
