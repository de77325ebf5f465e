import LacunaEngine
import LacunaScript
import LacunaTestSupport
import Synchronization
import Testing

@Suite("Results that can be run again")
struct ReplayTests {
  /// Generates with the options and writes the result as JSON.
  private func record(_ options: String, session: String = "s") throws -> String {
    let output = Collected<String>()
    var environment = try ScriptBench.environment()
    environment.write = { bytes in output.add(String(decoding: bytes, as: UTF8.self)) }
    try LuaHost(environment).run(
      LuaHost.Script(
        name: "test",
        source: ScriptBench.prelude
          + "lacuna.write(lacuna.json.encode((\(session)):generate { max_tokens = 12, \(options) }))"))
    return output.all.joined()
  }

  private func replay(_ json: String, _ environment: ScriptEnvironment? = nil) throws -> Replay.Report {
    try Replay(try RecordedResult(json: json, file: "run.json")).run(try environment ?? ScriptBench.environment())
  }

  @Test(
    "what a script generated comes out again bit for bit, whatever its options",
    arguments: [
      "sampler = 'greedy'", "seed = 7", "seed = -1, stream = 3", "sampler = 'temperature:2 dist', stop = { 'zz', 'b' }",
      "sampler = { { 'logit_bias', bias = { [5] = 4, [40] = -math.huge } }, { 'dist' } }",
      "sampler = { { 'penalties', repetition = 1.3 }, { 'top_k', 20 }, { 'mirostat_v2', tau = 3.5 } }, logprobs = 2",
      "grammar = lacuna.grammar.regex '[a-c]{2,9}'", "grammar = lacuna.grammar.choice { 'abc', 'cab' }",
      "grammar = lacuna.grammar.gbnf 'root ::= [ab]+'",
      "grammar = lacuna.grammar.json({ type = 'null' }, { whitespace = 'compact' })",
    ])
  func same(_ options: String) throws {
    let json = try record(options)
    let report = try replay(json)
    #expect(report.isSame, "\(report.results)")
    #expect(report.results.map(\.subject) == ["tokens", "text", "logprobs"])
    #expect(!report.circumstances.contains { !$0.isSame })
  }

  @Test("a session that was forked, rewound and made on another stream is no obstacle")
  func timelines() throws {
    let report = try replay(
      try record(
        "stream = 2",
        session: """
          (function()
            local t = m:session { text = 'abcabc', seed = 11, stream = 5 }
            t:generate { max_tokens = 4 }
            t:rewind(#t - 2)
            return t:fork()
          end)()
          """))
    #expect(report.isSame, "\(report.results)")
  }

  @Test("another model is named, and so is the first token that differs")
  func otherModel() throws {
    let second = try ScriptBench.shared.get().1
    let report = try replay(try record("sampler = 'temperature:3 dist'"), ScriptEnvironment { _ in second })
    #expect(report.circumstances.filter { !$0.isSame }.map(\.subject) == ["model"])
    #expect(!report.isSame)
    let difference = try #require(report.results.first { !$0.isSame })
    #expect(difference.detail.hasPrefix("token "), "\(difference)")
  }

  @Test("a log-probability that is one bit off is found, with and without the list of them")
  func oneBit() throws {
    let json = try record("sampler = 'greedy'")
    let recorded = try RecordedResult(json: json, file: "run.json")
    #expect(try Replay(recorded).run(try ScriptBench.environment()).isSame)
    let value = try #require(json.firstMatch(of: /"logprobs":\[(-[0-9.e-]+)/)?.1)
    let changed = json.replacing(
      "[\(value)", with: "[\(Double(Float(bitPattern: Float(value)!.bitPattern + 1)))", maxReplacements: 1)
    let report = try replay(changed)
    #expect(report.results.filter { !$0.isSame }.map(\.subject) == ["logprobs"])
    #expect(report.results.last?.detail.hasPrefix("token 1: ") == true)
    let digest = try #require(json.firstMatch(of: /"result_sha256":"([0-9a-f]{64})"/)?.1)
    let withoutList = json.replacing(/"logprobs":\[[^\]]*\],/, with: "")
      .replacing(digest, with: String(digest.reversed()))
    #expect(try replay(withoutList).results.last?.isSame == false)
  }

  @Test(
    "functions of a script are named, and refused with what to do instead",
    arguments: [
      ("sampler = { function(v) end, 'dist' }", "sampler stage \"stage 1\""),
      ("sampler = { { name = 'mine', pick = function(v) return 2 end } }", "sampler stage \"mine\""),
      ("hooks = { name = 'watch', on_token = function() end }", "hooks \"watch\""),
    ])
  func scriptParts(_ options: String, _ part: String) throws {
    let json = try record(options)
    let error = try #require(throws: LacunaError.self) { try replay(json) }
    #expect(error.message.contains(part) && error.message.contains("make a plugin"), "\(error.message)")
  }

  @Test(
    "a file that is no result names the field that is missing or wrong",
    arguments: [
      ("{}", "run.json: text: expected a string, found none"),
      (#"{"text":"a","ids":[1.5]}"#, "run.json: ids: expected a list of token ids"),
      (#"{"text":"a","ids":[1]}"#, "run.json: repro: expected an object, found none"),
      (
        #"{"text":"a","ids":[1],"repro":{"lacuna":"0.1.0","model":{}}}"#,
        "run.json: repro.model.name: expected a string"
      ),
    ])
  func malformed(_ json: String, _ message: String) throws {
    let error = try #require(throws: LacunaError.self) { try RecordedResult(json: json, file: "run.json") }
    #expect(error.message.hasPrefix(message), "\(error.message)")
  }

  @Test("the trace has a step for each token, with what each stage left over")
  func trace() throws {
    let steps = Collected<TracedStep>()
    var environment = try ScriptBench.environment()
    environment.trace = { steps.add($0) }
    try LuaHost(environment).run(
      LuaHost.Script(
        name: "test",
        source: ScriptBench.prelude
          + """
          local plain = m:session({ text = 'abc' }):generate { max_tokens = 5, sampler = 'top_k:3 dist' }
          assert(plain.finish ~= 'length' or #plain.tokens == 5)
          """))
    let traced = steps.all.filter { $0.number != nil }
    #expect(traced.map(\.number) == Array(1...traced.count))
    for step in traced {
      #expect(step.stages.map(\.name) == ["input", "top_k", "dist"])
      #expect(step.stages[0].survivors == 64 && step.stages[1].survivors == 3)
      #expect(step.stages[1].entropy <= step.stages[0].entropy)
    }
    #expect(steps.all.last?.finish != nil)
  }
}

/// What callbacks of another thread were given.
private final class Collected<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])
  func add(_ value: Value) { values.withLock { $0.append(value) } }
  var all: [Value] { values.withLock { $0 } }
}
