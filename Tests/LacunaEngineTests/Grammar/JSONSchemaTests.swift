import LacunaEngine
import Testing

@Suite struct JSONSchemaTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let schema: String
    let accepted: [String]
    let refused: [String]
    var testDescription: String { schema }
    init(_ schema: String, _ accepted: [String], not refused: [String]) {
      (self.schema, self.accepted, self.refused) = (schema, accepted, refused)
    }
  }

  @Test(
    "texts that satisfy the schema are in, others are out",
    arguments: [
      Case(
        #"{"type":"integer","minimum":-12,"maximum":305}"#, ["-12", "-1", "0", "9", "99", "100", "305"],
        not: ["-13", "306", "01", "1.0", "-0", "1000"]),
      Case(#"{"type":"integer","exclusiveMinimum":1800}"#, ["1801", "99999"], not: ["1800", "5"]),
      Case(#"{"type":"integer"}"#, ["0", "-7", "123456"], not: ["1.5", "1e3", "00"]),
      Case(
        #"{"type":"integer","minimum":9007199254740993}"#, ["9007199254740993", "99999999999999999"],
        not: ["9007199254740992", "1"]),
      Case(
        #"{"type":"integer","exclusiveMaximum":-9007199254740993}"#, ["-9007199254740994"],
        not: ["-9007199254740993", "-9007199254740992", "0"]),
      Case(#"{"type":"integer","minimum":-1e19,"maximum":1e300}"#, ["0", "-99", "999999999999999999"], not: ["1.0"]),
      Case(#"{"type":"integer","minimum":0.5,"exclusiveMaximum":3.5}"#, ["1", "3"], not: ["0", "4"]),
      Case(#"{"type":"integer","minimum":3,"exclusiveMinimum":3}"#, ["4"], not: ["3"]),
      Case(
        #"{"type":"integer","allOf":[{"minimum":9007199254740992},{"minimum":9007199254740993}]}"#,
        ["9007199254740993"],
        not: ["9007199254740992"]),
      Case(#"{"type":"number","minimum":-1e19,"maximum":1e19}"#, ["-2.5", "0", "123456.75"], not: ["1e3"]),
      Case(
        #"{"type":"number","minimum":-1.5,"exclusiveMaximum":2}"#, ["-1", "-0.25", "0", "0.75", "1.999", "1.0"],
        not: ["2", "2.0", "-1.6", "1e9"]),
      Case(#"{"type":"number"}"#, ["3.25", "-1e5", "2E-7"], not: ["+1", ".5", "1.", "nan"]),
      Case(
        #"{"type":"string","minLength":2,"maxLength":3}"#, [#""ab""#, #""é\n\u0041""#],
        not: [#""a""#, #""abcd""#, #""a"#, #""\ud83d\ude00""#]),
      Case(#"{"type":"string","pattern":"^[A-Z]{2}-\\d+$"}"#, [#""AB-12""#], not: [#""AB-""#, #""xAB-1""#]),
      Case(#"{"type":"string","pattern":"a\\\\b|\""}"#, [#""xa\\by""#, #""\"""#], not: [#""ab""#]),
      Case(#"{"type":"string","format":"date"}"#, [#""2026-02-28""#], not: [#""2026-13-01""#, #""soon""#]),
      Case(
        #"{"enum":["red",1,null,{"a":[true]}]}"#, [#""red""#, "1", "null", #"{"a":[true]}"#], not: ["2", #""blue""#]),
      Case(#"{"const":"a\"b"}"#, [#""a\"b""#], not: [#""a""#]),
      Case(#"{"type":["boolean","null"]}"#, ["true", "null"], not: ["1"]),
      Case(
        #"{"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3}"#,
        ["[1]", "[1, 2,3]", "[\n  1,\n  2\n]"], not: ["[]", "[1,2,3,4]", "[1,]"]),
      Case(
        #"{"prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"boolean"}}"#,
        [#"[1,"a"]"#, #"[1,"a",true,false]"#], not: ["[1]", #"[1,"a",2]"#]),
      Case(#"{"type":"array","items":false}"#, ["[]"], not: ["[1]"]),
      Case(
        #"{"properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{"type":"null"}},"required":["b"]}"#,
        [#"{"b":"x"}"#, #"{"a":1,"b":"x","c":null}"#, #"{ "a": 1, "b": "x" }"#],
        not: ["{}", #"{"a":1}"#, #"{"b":"x",}"#, #"{"b":"x","d":1}"#]),
      Case(
        #"{"properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}"#,
        ["{}", #"{"a":1,"b":true,"ab":false,"":true}"#, #"{"x":true}"#], not: [#"{"a":true}"#, #"{"b":1}"#]),
      Case(
        #"{"type":"object","additionalProperties":{"type":"integer"}}"#, ["{}", #"{"x":1,"y":2}"#], not: [#"{"x":"1"}"#]
      ),
      Case(
        ##"{"$defs":{"tree":{"type":"object","properties":{"v":{"type":"integer"},"kids":{"type":"array","items":{"$ref":"#/$defs/tree"}}},"required":["v"]}},"$ref":"#/$defs/tree"}"##,
        [##"{"v":1,"kids":[{"v":2},{"v":3,"kids":[]}]}"##], not: [##"{"v":1,"kids":[2]}"##]),
      Case(
        #"{"allOf":[{"properties":{"a":{"type":"integer","minimum":3}}},{"properties":{"a":{"minimum":5},"b":{"const":1}},"required":["a"]}]}"#,
        [#"{"a":5,"b":1}"#], not: [#"{"a":4}"#, #"{"b":1}"#]),
      Case(
        #"{"type":"object","properties":{"k":{"type":"string"}},"required":["k"],"anyOf":[{"properties":{"n":{"const":1}},"required":["n"]},{"properties":{"m":{"const":2}},"required":["m"]}]}"#,
        [#"{"k":"","n":1}"#, #"{"k":"x","m":2}"#], not: [#"{"k":"x"}"#, #"{"n":1}"#]),
      Case("true", ["1", #"{"a":[1,{"b":null}]}"#, #"" ""#, "[ ]"], not: ["", "{]", "tru"]),
    ])
  func schemas(_ example: Case) throws {
    let grammar = try Grammar(jsonSchema: example.schema)
    for text in example.accepted { #expect(try grammar.accepts(text), "\(text)") }
    for text in example.refused { #expect(try !grammar.accepts(text), "\(text)") }
  }

  @Test("without white space each value has one way to be written")
  func compact() throws {
    let grammar = try Grammar(
      jsonSchema: #"{"properties":{"a":{"const":1},"b":{"const":2}},"required":["a","b"]}"#, isCompact: true)
    #expect(try grammar.accepts(#"{"a":1,"b":2}"#))
    for text in [#" {"a":1,"b":2}"#, #"{"a": 1,"b":2}"#, #"{"b":2,"a":1}"#] { #expect(try !grammar.accepts(text)) }
  }

  @Test("a schema that doubles at every reference is refused before it fills the memory", .timeLimit(.minutes(1)))
  func doubling() throws {
    let definitions = (0..<20).map { level in
      let next = ##"{"$ref":"#/$defs/d\##(level + 1)","minLength":1}"##
      return #""d\#(level)":{"anyOf":[\#(next),\#(next)]}"#
    }
    let schema = ##"{"$ref":"#/$defs/d0","$defs":{"d20":{"type":"string"},\##(definitions.joined(separator: ","))}}"##
    let error = #expect(throws: LacunaError.self) { try Grammar(jsonSchema: schema) }
    #expect(error?.message.contains("at most 20000 schemas") == true, "\(error?.message ?? "")")
  }

  @Test(
    "schemas that cannot be kept are refused with their place",
    arguments: [
      (##"{"type":"objct"}"##, "#/type"), (##"{"properties":{"a":{"not":{}}}}"##, "\"not\""),
      (##"{"propertis":{}}"##, "properties"),
      (##"{"properties":{"a":{"$ref":"#/$defs/x"}}}"##, "#/properties/a/$ref"), (##"{"$ref":"http://x"}"##, "$ref"),
      (##"{"type":"integer","multipleOf":3}"##, "multipleOf"), (##"{"type":"string","pattern":"(?=a)"}"##, "#/pattern"),
      (#"{"type":"string","minLength":-1}"#, "minLength"), (#"{"type":"integer","minimum":5,"maximum":4}"#, "between"),
      (#"{"type":"integer","minimum":1e19}"#, "no integer"), (#"{"type":"integer","maximum":-1e19}"#, "no integer"),
      (#"{"type":"integer","exclusiveMinimum":9223372036854775807}"#, "no integer"),
      (#"{"type":"integer","minimum":10000000000000000000000}"#, "no integer"),
      (#"{"type":"number","minimum":1e19}"#, "no number"),
      (##"{"allOf":[{"pattern":"a"},{"pattern":"b"}]}"##, "twice"), (##"{"enum":[]}"##, "#/enum"), ("false", "nothing"),
      ("[1]", "a schema"), ("{", "JSON"),
      (String(repeating: #"{"items":"#, count: 80) + "true" + String(repeating: "}", count: 80), "levels"),
    ])
  func refused(_ schema: String, _ part: String) throws {
    let error = #expect(throws: LacunaError.self) { try Grammar(jsonSchema: schema) }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test("integers in a range are just those", arguments: [(-105, 12), (0, 0), (7, 1234), (-9, -3), (99, 101), (-1, 0)])
  func integerRanges(_ low: Int, _ high: Int) throws {
    let grammar = try Grammar(jsonSchema: #"{"type":"integer","minimum":\#(low),"maximum":\#(high)}"#)
    for value in -1500...1500 { #expect(try grammar.accepts("\(value)") == (low...high).contains(value), "\(value)") }
  }
}
