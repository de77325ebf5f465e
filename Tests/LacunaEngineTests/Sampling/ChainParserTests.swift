import LacunaEngine
import Testing

@Suite("Chains on the command line")
struct ChainParserTests {
  @Test("names, values and lists are read")
  func reads() throws {
    let stages = try SamplerChain.parse(
      " top_k:k=40  temperature:t=0.8\tpenalties:repetition=1.1,prompt=false"
        + #" dry:sequence_breakers=["\n","a b",":\u0041"],base=2 mine/pick-it:0x=[1,2.5,-3e2] dist"#)
    #expect(
      stages == [
        StageDescription("top_k", ["k": .number(40)]),
        StageDescription("temperature", ["t": .number(0.8)]),
        StageDescription("penalties", ["repetition": .number(1.1), "prompt": .bool(false)]),
        StageDescription("dry", ["sequence_breakers": .texts(["\n", "a b", ":A"]), "base": .number(2)]),
        StageDescription("mine/pick-it", ["0x": .numbers([1, 2.5, -300])]),
        StageDescription("dist"),
      ])
    #expect(try SamplerChain.parse("").isEmpty)
  }

  @Test("a bare value is the first parameter, and token ids are biases")
  func shorthand() throws {
    #expect(try SamplerChain.parse("top_p:0.9") == [StageDescription("top_p", ["p": .number(0.9)])])
    #expect(
      try SamplerChain.parse("top_p:0.9,min_keep=2")
        == [StageDescription("top_p", ["p": .number(0.9), "min_keep": .number(2)])])
    #expect(
      try SamplerChain.parse("logit_bias:15=-inf,27=2.5")
        == [StageDescription("logit_bias", ["bias": .biases([15: -.infinity, 27: 2.5])])])
  }

  @Test(
    "a bare value tells what is wrong with its stage",
    arguments: [
      ("topk:40 dist", "\"topk\" is no native stage (did you mean \"top_k\"?)"),
      ("temp:1", "did you mean \"temperature\""),
      ("nucleus:0.9", "did you mean \"top_p\""), ("greedy:1", "\"greedy\" alone, which takes no parameters"),
    ])
  func bareValues(_ text: String, _ words: String) {
    let error = #expect(throws: LacunaError.self) { try SamplerChain.parse(text) }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }

  @Test(
    "what cannot be read is shown with its column",
    arguments: [
      (":k=1", "column 1"), ("top_k:k=", "column 9"), ("top_k:k=4x", "column 9"), ("top_k:", "column 7"),
      ("top_k:k=1,k=2", "column 11"), ("top_k:1,k=2", "column 9"), ("a:b=\"x", "column 7"),
      ("a:b=[1,\"x\"]", "column 8"),
      ("a:b=[1", "column 7"), ("a:b=[true]", "column 6"), ("a:b=\"\\q\"", "column 7"), ("a:b=1\"x\"", "column 6"),
      ("mine/pick:1", "column 11"), ("logit_bias:1=2,1=3", "column 16"), ("logit_bias:1=true", "column 12"),
      ("top_k:k=nan", "column 9"), ("a=b", "column 2"),
    ])
  func refusals(_ text: String, _ place: String) {
    let error = #expect(throws: LacunaError.self) { try SamplerChain.parse(text) }
    #expect(error?.code == .invalidArgument)
    #expect(error?.message.contains("\(place):") == true, "\(error?.message ?? "")")
  }
}
