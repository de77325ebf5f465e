import LacunaEngine
import Testing

@Suite("Strict JSON")
struct JSONReaderTests {
  private func parse(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8), file: "x.json") }

  @Test("values of every kind are read")
  func values() throws {
    #expect(
      try parse(#" {"a": [1, -2.5e1, true, false, null], "b": {"c": "x\n\u00e9\ud83d\ude00\/"}, "": 0} "#)
        == .object([
          "a": .array([.integer(1), .double(-25), .bool(true), .bool(false), .null]),
          "b": .object(["c": .string("x\né😀/")]), "": .integer(0),
        ]))
    // Beyond Int it is a Double, as in configurations that say 1e30 in full.
    #expect(try parse("1000000000000000019884624838656") == .double(1e30))
  }

  @Test(
    "what the format forbids is refused, with file and byte",
    arguments: [
      "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "01", "1.", ".5", "+1", "1e", "-", "NaN", "Infinity",
      "1e999",
      "tru", "nulL", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"",
      "1 2", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "\u{FEFF}1", "[1}", "'a'",
    ])
  func refusals(text: String) throws {
    let error = try #require(throws: LacunaError.self) { _ = try parse(text) }
    #expect(error.code == .malformed)
    #expect(error.message.hasPrefix("x.json: JSON, byte "))
  }

  @Test(
    "a refusal names the way to the value",
    arguments: [
      ("{\"a\":{\"b\":[1,{\"c\":x}]}}", ", in a.b[1].c: "), ("[[1],[2,]]", ", in [1][1]: "),
      ("{\"a\":1,\"b\":tru}", ", in b: "),
      ("{\"a\":{},\"a\":1}", "byte 11: expected distinct names"), ("x", "byte 0: "),
    ])
  func place(text: String, place: String) throws {
    let error = try #require(throws: LacunaError.self) { _ = try parse(text) }
    #expect(error.message.contains(place), "\(error.message)")
  }

  @Test("32 levels are read and 33 are refused")
  func depth() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(32))
    #expect(throws: LacunaError.self) { _ = try parse(nested(33)) }
    #expect(throws: LacunaError.self) { _ = try parse(nested(100_000)) }
  }

  @Test(
    "ill-formed UTF-8 is refused", arguments: [[0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]])
  func utf8(bytes: [UInt8]) throws {
    #expect(throws: LacunaError.self) { _ = try JSONValue.parse([0x22] + bytes + [0x22], file: "x.json") }
    #expect(throws: LacunaError.self) { _ = try JSONValue.parse([0x22, 0x5C, 0x6E] + bytes + [0x22], file: "x.json") }
  }

  @Test("every beginning of a document is refused and none traps")
  func truncation() throws {
    let text = Array(#"{"a": [1, -2.5e1, true, "\u00e9\ud83d\ude00"], "b": null}"#.utf8)
    for length in 0..<text.count {
      #expect(throws: LacunaError.self) { _ = try JSONValue.parse(Array(text[..<length]), file: "x.json") }
    }
  }

  @Test("a string longer than 16 MiB is refused, escaped or not", arguments: ["", "\\n"])
  func longString(escape: String) throws {
    let text = "\"\(escape)" + String(repeating: "x", count: 17 << 20) + "\""
    let error = try #require(throws: LacunaError.self) { _ = try parse(text) }
    #expect(error.message.contains("at most 16777216 bytes"))
  }

  @Test("an object of too many members is refused")
  func members() throws {
    let text = "{" + (0..<11).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
    let error = try #require(throws: LacunaError.self) {
      try JSONReader.read(Array(text.utf8), file: "x.json", maximumMembers: 10) { (reader) throws(LacunaError) in
        try reader.skipValue()
      }
    }
    #expect(error.message.contains("at most 10 members"))
  }
}
