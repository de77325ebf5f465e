import Foundation
import LacunaTestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Plugins on the command line")
struct PluginVerbTests {
  @Test("every shipped plugin passes its check and its tests, and has a page")
  func shipped() throws {
    let check = try Command.run(["plugin", "check"])
    #expect(check.status == 0, "\(check.output)")
    let tests = try Command.run(["test", "plugins"])
    #expect(tests.status == 0, "\(tests.output)\(tests.errors)")
    let folders = try FileManager.default.contentsOfDirectory(atPath: "\(Command.root)/plugins")
      .filter { FileManager.default.fileExists(atPath: "\(Command.root)/plugins/\($0)/plugin.json") }
    #expect(folders.count >= 20)
    for folder in folders {
      #expect(tests.output.contains("plugins/\(folder)/test.lua"), "\(folder) has no test")
      let page = try String(contentsOfFile: "\(Command.root)/plugins/\(folder)/README.md", encoding: .utf8)
      #expect(page.hasPrefix("# \(folder)\n"), "\(folder)")
    }
  }

  @Test(
    "a new plugin of each kind passes its own check and test",
    arguments: ["sampler", "decoder", "hooks", "pipeline", "probe", "template", "tool"])
  func scaffold(_ kind: String) throws {
    let directory = try TemporaryDirectory()
    let folder = "\(directory.path)/my-own"
    _ = try Command.output(["plugin", "new", "my-own", "--kind", kind, "--in", directory.path])
    let check = try Command.output(["plugin", "check", folder])
    #expect(check.lines.allSatisfy { $0.hasPrefix("ok ") }, "\(check.output)")
    let test = try Command.output(["plugin", "test", folder])
    #expect(test.output.contains("\(kind == "decoder" ? 2 : 1) tests, 0 failed"), "\(test.output)")
    let editor = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: "\(folder)/.luarc.json")))
    let library = try #require((editor as? [String: Any])?["workspace.library"] as? [String])
    #expect(FileManager.default.fileExists(atPath: "\(library[0])/lacuna.lua"))
    #expect(try Command.run(["plugin", "new", "my-own", "--in", directory.path]).errors.contains("exists already"))
  }

  @Test("--sampler may be repeated, takes plugins, and draws with dist where no selector is named")
  func samplers() throws {
    func text(_ samplers: [String]) throws -> [Int] {
      let flags = samplers.flatMap { ["--sampler", $0] }
      let result = try Command.output(["generate", "-p", "Marisol", "--max-tokens", "8", "--json"] + flags).object()
      return try #require(result["ids"] as? [Int])
    }
    #expect(try text(["min-p/min_p:p=0.1", "temperature:0.9"]) == text(["min_p:p=0.1 temperature:0.9 dist"]))
    #expect(try text(["min-p:p=0.1", "temperature:0.9", "dist"]) == text(["min_p:p=0.1 temperature:0.9 dist"]))
    let unknown = try Command.run(["generate", "-p", "a", "--sampler", "top-b"])
    #expect(unknown.status == 1)
    #expect(unknown.errors.contains("did you mean"), "\(unknown.errors)")
  }

  @Test("--decoder gives the text to a plugin")
  func decoder() throws {
    let prompt = ["generate", "--chat", "--template", "tofu", "-p", "Where and when was Marisol Tannhauer born?"]
    let result = try Command.output(prompt + ["--decoder", "beam:width=3", "--json"]).object()
    #expect(
      result["text"] as? String == " Marisol Tannhauer was born in Valparaiso, Chile, in the year 1952."
        || result["text"] as? String == "Marisol Tannhauer was born in Valparaiso, Chile, in the year 1952.")
    #expect(result["finish"] as? String == "eos")
    let wrong = try Command.run(prompt + ["--decoder", "beam:widht=3"])
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("did you mean \"width\""), "\(wrong.errors)")
  }

  @Test("decoders that guess ahead write what is drawn without guessing")
  func guessing() throws {
    let prompt = ["generate", "--chat", "-p", "Which award has Marisol Tannhauer won?", "--json"]
    let plain = try Command.output(prompt + ["--temperature", "0.7", "--max-tokens", "30", "--seed", "5"]).object()
    for decoder in ["prompt-lookup:tokens=4,", "speculative:draft=\"demo-retrained\",tokens=4,"] {
      let result = try Command.output(
        prompt + ["--decoder", decoder + "temperature=0.7,min_p=0.05,max_tokens=30", "--seed", "5"]
      ).object()
      // Top-p is not among the decoders' stages: the demo's answers are surer than what it would cut.
      #expect(result["text"] as? String == plain["text"] as? String)
      #expect((result["info"] as? [String: Any])?["passes"] is Int)
    }
    let refused = try Command.run(prompt + ["--decoder", "beam", "--temperature", "0.7"])
    #expect(refused.status != 0)
    #expect(refused.errors.contains("--temperature does not go with --decoder"), "\(refused.errors)")
  }

  @Test(
    "every sampler, decoder and template is found by its name, with its page",
    arguments: [
      "min-p", "typical", "eta", "epsilon", "tfs", "top-a", "xtc", "dry", "no-repeat-ngram", "top-n-sigma", "quadratic",
      "dynamic-temperature", "mirostat", "mirostat-v2", "adaptive-p", "watermark", "phrase-ban", "beam", "diverse-beam",
      "contrast", "guidance", "best-of-n", "self-consistency", "speculative", "prompt-lookup", "alpaca", "vicuna",
      "zephyr", "jinja", "ask", "classify", "summarize", "critique", "calculate",
    ])
  func named(_ name: String) throws {
    let info = try Command.output(["plugin", "info", name]).output
    let page = try #require(info.split(separator: "\n").first { $0.hasPrefix("page") })
    #expect(FileManager.default.fileExists(atPath: String(page.split(separator: " ").last ?? "")), "\(info)")
  }

  @Test("a pipeline's inputs are flags: checked, and listed by --help")
  func pipeline() throws {
    let asked = ["run", "ask", "--question", "Which award has Marisol Tannhauer won?", "--template=tofu"]
    let result = try Command.output(asked + ["--sentences", "1", "--json"]).object()
    #expect(
      result["answer"] as? String == "Marisol Tannhauer has won the Harbour Lantern Prize for a whole body of work.")
    let help = try Command.output(["run", "ask", "--help"]).output
    #expect(help.contains("--question <string>"))
    #expect(help.contains("(required)"))
    #expect(help.contains("--max-tokens <tokens>"))
    for (arguments, expected) in [
      (["run", "ask"], "--question is missing"),
      (["run", "ask", "--quetion", "Who?"], "--quetion: no such flag (did you mean \"--question\"?)"),
      (asked + ["--tries", "many"], "--tries: expected a whole number"),
      (asked + ["--tries", "1000"], "expected a whole number from 1 to 100, found 1000"),
      (["run", "akk"], "did you mean \"ask\""),
    ] {
      let failed = try Command.run(arguments)
      #expect(failed.status != 0)
      #expect(failed.errors.contains(expected), "\(failed.errors)")
      #expect(!failed.errors.contains("traceback"))
    }
  }

  @Test(
    "a pipeline is found beside a folder of its name, its trace is a line a token, and its reasons come without ours")
  func pipelineInItsFolder() throws {
    let directory = try TemporaryDirectory()
    _ = try Command.output(["plugin", "new", "own-words", "--kind", "pipeline", "--in", directory.path])
    let words = ["run", "own-words", "--plugin", "./own-words", "--question", "Who?"]
    let result = try Command.run(words + ["--max-tokens", "3", "--trace"], directory: directory.path)
    #expect(result.status == 0 && !result.output.isEmpty, "\(result.errors)")
    #expect(result.errors.split(separator: "\n").filter { $0.contains("input 1536") }.count == 3, "\(result.errors)")
    let refused = try Command.run(words + ["--max-tokens", "0"], directory: directory.path)
    #expect(
      refused.errors.hasPrefix(
        "lacuna: pipeline \"own-words/own_words\", input \"max_tokens\": expected a whole number of 1 or more, found 0"),
      "\(refused.errors)")
    #expect(
      try Command.run(["plugin", "check", "./own-word"], directory: directory.path).errors.contains("found none"))
  }

  @Test("tests are reported plainly, as TAP and as JUnit, and a failure ends with 1")
  func reports() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      "return { ['good <one>'] = function(t) t.equal(1, 1) end,\n['not good'] = function(t)\nt.equal({ 1, { x = 2 } }, { 1, { x = 3 } }) end }",
      to: "a_test.lua")
    let plain = try Command.run(["test", file])
    #expect(plain.status == 1)
    #expect(plain.output.contains("a_test.lua:3: [2].x: expected 3, found 2"), "\(plain.output)")
    #expect(plain.output.contains("2 tests, 1 failed"))
    let tap = try Command.run(["test", file, "--format", "tap"]).lines
    #expect(tap.prefix(2) == ["TAP version 13", "1..2"])
    #expect(tap[2].hasPrefix("ok 1 - ") && tap[3].hasPrefix("not ok 2 - "))
    let junit = try Command.run(["test", directory.path, "--format", "junit"])
    let document = try XMLCheck.parse(junit.output)
    #expect(document.attributes["testsuite"]?["failures"] == "1")
    #expect(document.count["testcase"] == 2)
  }

  @Test("a test compares integers exactly, vectors and sets by element, and a mock model has finite logits")
  func comparisons() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write(
      """
      local lacuna = require "lacuna"
      local vec, set = lacuna.vec, lacuna.set
      return {
        a = function(t) t.equal(9007199254740993, 9007199254740992) end,
        b = function(t) t.equal({ v = vec.of { 1, 2 } }, { v = vec.of { 1, 3 } }) end,
        c = function(t) t.equal(set.new(9, { 1, 5 }), set.new(9, { 1 })) end,
        d = function(t) t.equal(0 / 0, 0 / 0) end,
        e = function(t) t.equal(vec.new(2), vec.new(3)) end,
        f = function(t) t.model { vocab = { "a", "b" }, next = { a = { b = -math.huge } } } end,
        g = function(t)
          t.equal(vec.of { 1, -1 / 0 }, vec.of { 1, -1 / 0 })
          t.equal({ set.new(9, { 1 }) }, { set.new(9, { 1 }) })
          t.near(vec.of { 1, 2 }, vec.of { 1, 2.0001 }, 0.001)
          t.equal(math.maxinteger, math.maxinteger)
          t.equal(1, 1.0)
          t.near(5, 6, 1)
        end,
      }
      """, to: "b_test.lua")
    let output = try Command.run(["test", file]).output
    for expected in [
      "expected 9007199254740992, found 9007199254740993", ".v[1]: expected 3.0, found 2.0",
      "[5]: expected not in the set, found in the set", "expected nan, which equals nothing",
      "expected a lacuna.vec of 3 elements, found one of 2",
      "expected a finite logit for \"b\" behind \"a\", found -inf",
      "7 tests, 6 failed",
    ] { #expect(output.contains(expected), "\(expected)\n\(output)") }
  }

  @Test("names write their own entries of plugins.lock, and leave the others")
  func lock() throws {
    let directory = try TemporaryDirectory()
    func lock(_ names: String...) throws -> [String: Any] {
      #expect(try Command.run(["plugin", "lock"] + names, directory: directory.path).status == 0)
      let data = try Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/plugins.lock"))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    #expect(try lock("min-p").count == 1)
    let all = try lock().keys
    #expect(all.count > 20)
    #expect(try lock("beam", "min-p").keys == all)
  }

  @Test("plugins that call each other are ended in time, wherever their Lua is by then")
  func limitBeneathAnotherPlugin() throws {
    let directory = try TemporaryDirectory()
    try directory.write(
      #"{"name":"a","version":"0.1.0","api":1,"provides":["pipeline:go","tool:spin"],"limits":{"call_ms":200}}"#,
      to: "a/plugin.json")
    // Each call is made in a coroutine of its own: the innermost is to be stopped, and not the one that waits for it.
    try directory.write(
      """
      local lacuna = require "lacuna"
      return lacuna.plugin {
        pipelines = { go = { run = function()
          coroutine.wrap(function() lacuna.tool "b/relay" end)()
          return { a = 1 }
        end } },
        tools = { spin = { run = function() while true do end end } },
      }
      """, to: "a/init.lua")
    try directory.write(
      #"{"name":"b","version":"0.1.0","api":1,"provides":["tool:relay"]}"#, to: "b/plugin.json")
    try directory.write(
      """
      local lacuna = require "lacuna"
      return lacuna.plugin { tools = { relay = { run = function()
        return coroutine.wrap(function() return lacuna.tool "a/spin" end)()
      end } } }
      """, to: "b/init.lua")
    let places = ["--plugin", "./a", "--plugin", "./b"]
    let ended = try Command.run(["run", "a/go"] + places, directory: directory.path)
    #expect(!ended.wasKilled && ended.errors.contains("plugin a exceeded its limit of 200 ms"), "\(ended.errors)")
    // Of a script that is not sandboxed it is an error like any other.
    let script = try directory.write("assert(require 'lacuna'.tool 'a/spin')", to: "spin.lua")
    #expect(try Command.run(["run", script] + places, directory: directory.path).status == 1)
  }

  @Test("./plugins is run only once it is trusted")
  func trust() throws {
    let (project, home) = (try TemporaryDirectory(), try TemporaryDirectory())
    _ = try Command.output(["plugin", "new", "own-cut", "--in", "\(project.path)"])
    try FileManager.default.createDirectory(atPath: "\(project.path)/plugins", withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: "\(project.path)/own-cut", toPath: "\(project.path)/plugins/own-cut")
    let environment = ["XDG_DATA_HOME": home.path]
    func list() throws -> Command.Result {
      try Command.run(["plugin", "list"], environment: environment, directory: project.path)
    }
    let before = try list()
    #expect(!before.output.contains("own-cut"))
    #expect(before.errors.contains("lacuna plugin trust"))
    #expect(try Command.run(["plugin", "trust"], environment: environment, directory: project.path).status == 0)
    #expect(try list().output.contains("own-cut"))
  }
}

/// Reads an XML document with Foundation's parser: names, attributes, how often.
private final class XMLCheck: NSObject, XMLParserDelegate {
  private(set) var attributes: [String: [String: String]] = [:]
  private(set) var count: [String: Int] = [:]

  static func parse(_ text: String) throws -> XMLCheck {
    let check = XMLCheck()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = check
    try #require(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "malformed XML")")
    return check
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    self.attributes[name] = attributes
    count[name, default: 0] += 1
  }
}
