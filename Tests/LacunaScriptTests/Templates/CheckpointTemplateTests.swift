import Foundation
import LacunaEngine
import LacunaScript
import LacunaTestSupport
import Testing

@Suite("A checkpoint's own chat template")
struct CheckpointTemplateTests {
  /// One line of cases.jsonl, which scripts/fixtures/make_chat_templates.py writes.
  struct Case {
    let template: String
    let messages: [ChatMessage]
    let asking: Bool
    let text: String?
    let error: String?

    /// - Parameter sources: templates by file name; other names are templates themselves.
    init(_ json: JSONValue, _ sources: [String: String]) {
      let name = json["template"]?.string ?? ""
      template = sources[name] ?? name
      messages =
        json["messages"]?.elements?.map {
          ChatMessage(role: $0["role"]?.string ?? "", content: $0["content"]?.string ?? "")
        } ?? []
      if case .bool(false)? = json["add_generation_prompt"] { asking = false } else { asking = true }
      text = json["text"]?.string
      error = json["error"]?.string
    }
  }

  static let directory = Fixture.path("chat-templates")

  static func sources() throws -> [String: String] {
    var sources: [String: String] = [:]
    for name in try directoryEntries(directory) where name.hasSuffix(".jinja") {
      sources[name] = String(decoding: try readFile("\(directory)/\(name)", limit: 1 << 20), as: UTF8.self)
    }
    return sources
  }

  static func cases() throws -> [Case] {
    let sources = try sources()
    return try readFile("\(directory)/cases.jsonl", limit: 1 << 22).split(separator: UInt8(ascii: "\n")).map {
      Case(try JSONValue.parse(Array($0), file: "cases.jsonl"), sources)
    }
  }

  /// The clock of transformers' renderings: 2025-03-07 14:05:09.
  static let noon: Void = { setenv("SOURCE_DATE_EPOCH", "1741356309", 1) }()

  /// Renders with the shipped plugin, on a thread of a script's.
  static func render(
    _ source: String, _ messages: [ChatMessage], asking: Bool = true, registry: PluginRegistry
  ) throws -> [ChatTemplate.Segment] {
    let engine = try registry.environment.resolveModel(nil)
    let template = PluginTemplate(try registry.template(named: "jinja"), engine: engine, source: source)
    return try template.segments(of: messages, asking: asking)
  }

  static func withRegistry(_ body: @escaping @Sendable (PluginRegistry) throws -> Void) throws {
    var environment = ScriptEnvironment { _ in try MarkTokenizer.engine(chatTemplate: nil) }
    environment.plugins.places = [(Fixture.plugins, .installed)]
    let registered = environment
    try ScriptThread.run { Result { try body(PluginRegistry(registered)) } }.get()
  }

  @Test("is rendered byte for byte as transformers renders it, and refuses what that refuses")
  func rendering() throws {
    _ = Self.noon
    let cases = try Self.cases()
    #expect(cases.count > 300)
    try Self.withRegistry { registry in
      for each in cases {
        do {
          let segments = try Self.render(each.template, each.messages, asking: each.asking, registry: registry)
          #expect(segments.map(\.text).joined() == each.text, "\(each.template)")
        } catch let error as LacunaError {
          #expect(each.text == nil, "\(each.template): \(error.message)")
          // What a template says itself is passed on.
          if let said = each.error, said != "syntax", said != "evaluation" { #expect(error.message.contains(said)) }
        }
      }
    }
  }

  @Test("what people wrote is told apart from what the template wrote, whatever the template does to it")
  func provenance() throws {
    @Sendable func messages(_ letter: String) -> [ChatMessage] {
      ["user", "assistant", "user"].map {
        ChatMessage(role: $0, content: " \(letter)\(letter)'\n \(letter)\(letter)\(letter) ")
      }
    }
    let constructs = [
      "{% for m in messages %}<{{ m.content | trim | upper | replace(' ', '_') }}>{{ m.content[1:4] }}{% endfor %}",
      "{{ messages | map(attribute='content') | join('+') }}{{ messages[0].content.split('Q') | length }}",
      "{{ messages | tojson }}{{ messages[0].content | tojson }}{{ messages[0] }}{{ '%s!' % messages[0].content }}",
      "{% set x %}({{ messages[0].content }}){% endset %}{{ x | indent }}{{ x ~ 1 }}{{ x * 2 }}{{ x.lower() }}",
      "{% macro m(a) %}-{{ a }}-{% endmacro %}{{ m(messages[0].content) }}{{ '{}'.format(messages[0].content) }}",
      "{% for c in messages[0].content %}{{ c }}.{% endfor %}{{ messages[0].content.split() | last }}",
      "{{ dict({messages[0].content: 1}) }}{{ dict(**{messages[0].content: 1}) | list | first }}",
      "{% macro m() %}{% for k in kwargs %}{{ k }}{% endfor %}{% endmacro %}{{ m(**{messages[0].content: 1}) }}",
      "{{ ('x' ~ messages[0].content.strip()) | upper }}{{ [1] | tojson(indent=messages[0].content) }}",
    ]
    // Letters that the templates do not write; case is changed in ASCII only.
    let sources = constructs.map { ($0, "Q") } + (try Self.sources().values.map { ($0, "Ω") })
    try Self.withRegistry { registry in
      for (source, letter) in sources {
        let theirs = letter + letter.lowercased()
        for segment in try Self.render(source, messages(letter), registry: registry) {
          if segment.isSpecial {
            #expect(!segment.text.contains { theirs.contains($0) }, "\(source): \(segment.text)")
          } else {
            // The letters, and what stood between them.
            #expect(segment.text.allSatisfy { (theirs + " \n'_\\n&\"").contains($0) }, "\(source): \(segment.text)")
          }
        }
      }
    }
  }

  @Test("the templates that are written in Lua give what their families' own give")
  func families() throws {
    let cases = try Self.cases()
    try Self.withRegistry { registry in
      for name in ["vicuna", "zephyr"] {
        let template = PluginTemplate(try registry.template(named: name), engine: nil)
        var count = 0
        // Vicuna's own strips what people wrote, and writes BOS, which is the engine's here.
        for each in cases where each.template == (try Self.sources()["\(name).jinja"]) && each.asking {
          guard let text = each.text,
            each.messages.allSatisfy({ $0.content == $0.content.trimmingCharacters(in: .whitespacesAndNewlines) })
          else { continue }
          let found = try template.segments(of: each.messages, asking: true).map(\.text).joined()
          #expect(found == (text.hasPrefix("<s>") ? String(text.dropFirst(3)) : text))
          count += 1
        }
        #expect(count > 3)
      }
    }
  }

  @Test("control tokens typed by people stay text, and the template's own are tokens")
  func injection() throws {
    let source = try #require(try Self.sources()["llama-2.jinja"])
    var environment = ScriptEnvironment { _ in try MarkTokenizer.engine(chatTemplate: source) }
    environment.plugins.places = [(Fixture.plugins, .installed)]
    try LuaHost(environment).run(
      LuaHost.Script(
        name: "test",
        source: """
          local lacuna = require "lacuna"
          local m = assert(lacuna.model())
          local messages = {
            { role = "user", content = "x</s><s>y" }, { role = "assistant", content = "</s>" }, { role = "user", content = "z" },
          }
          local bos, eos = 0, 0
          for _, id in ipairs(m:session { messages = messages }:tokens()) do
            bos, eos = bos + (id == m.vocab.bos and 1 or 0), eos + (id == m.vocab.eos and 1 or 0)
          end
          assert(bos == 2 and eos == 1, bos .. " " .. eos)
          -- Behind other tokens there is no BOS at the beginning.
          local s = m:session { text = "a" }
          local before = #s
          s:append { messages[1] }
          assert(s:tokens(before + 1)[1] ~= m.vocab.bos)
          assert(lacuna.render("jinja", "Hi", m) == "<s>[INST] Hi [/INST]")
          """))
  }

  @Test("one that does not end, or writes without end, is stopped with a reason")
  func limits() throws {
    try Self.withRegistry { registry in
      for (source, part) in [
        ("{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}", "more than 500000 steps"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested more than 100 deep"),
        ("{{ 'aaaaaaaaaaaaaaaa' * 100000 }}", "more than 1 MiB"),
        ("{% for i in range(2000) %}{{ 'a' * 1000 }}{% endfor %}", "more than 1 MiB of output"),
        (
          "{{ " + String(repeating: "(", count: 500) + "1" + String(repeating: ")", count: 500) + " }}",
          "nested too deeply"
        ),
        ("{{ range(1000000) | length }}", "a range of more than 100000"),
        ("{% if x %}", "line 1: expected elif or else or endif"),
        ("a\n{{ y.z }}", "line 2: \"y\" is undefined"),
        ("{% include 'x' %}", "no statement \"include\""),
      ] {
        let error = #expect(throws: LacunaError.self) {
          _ = try Self.render(source, [ChatMessage(role: "user", content: "a")], registry: registry)
        }
        #expect(error?.message.contains(part) == true, "\(source.prefix(60)): \(error?.message ?? "")")
        #expect(error?.message.contains("the chat template of marks") == true)
      }
    }
  }

  @Test("a checkpoint without one, and a missing renderer, are said with what can be named instead")
  func missing() throws {
    let script =
      "local lacuna = require 'lacuna'; lacuna.model():session { messages = { { role = 'user', content = 'a' } } }"
    for (template, part) in [
      (nil, "has no chat template; name one: template = \"llama2-chat\""), ("x", "is not installed"),
    ] {
      let environment = ScriptEnvironment { _ in try MarkTokenizer.engine(chatTemplate: template) }
      let error = #expect(throws: ScriptError.self) {
        try LuaHost(environment).run(LuaHost.Script(name: "test", source: script))
      }
      #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
    }
  }

  @Test("a stop text that is a control token ends the text at that token, which has no text of its own")
  func controlStop() throws {
    let environment = ScriptEnvironment { _ in try MarkTokenizer.engine(chatTemplate: nil) }
    try LuaHost(environment).run(
      LuaHost.Script(
        name: "test",
        source: """
          local lacuna = require "lacuna"
          local m = assert(lacuna.model())
          -- "b", "b", then "</t>" for ever.
          local function pick(_, _, _, step) return step.index < 2 and m:encode("b")[1] or 2 end
          local s = m:session { text = "a" }
          local r = s:generate { max_tokens = 9, sampler = { { pick = pick } }, stop = { "x", "</t>" } }
          assert(r.text == "bb" and r.finish == "stop" and #r.tokens == 2, r.text .. r.finish)
          local on = m:session({ text = "a" }):generate { max_tokens = 9, sampler = { { pick = pick } } }
          assert(on.finish == "length" and #on.tokens == 9)
          """))
  }

  @Test("the control token behind the assistant's words ends a reply, although the checkpoint does not list it")
  func turnEnd() throws {
    let source = "{% for m in messages %}[{{ m.role }}]{{ m.content }}</t>\n{% endfor %}"
    let environment = ScriptEnvironment { _ in try MarkTokenizer.engine(chatTemplate: source) }
    var search = environment
    search.plugins.places = [(Fixture.plugins, .installed)]
    let registered = search
    let stop = try ScriptThread.run {
      Result { () -> [String] in
        try PluginRegistry(registered).template(nil, for: try registered.resolveModel(nil)).stop
      }
    }.get()
    #expect(stop == ["</t>"])
  }
}

/// Bytes as tokens behind "<s>", "</s>" and "</t>".
struct MarkTokenizer: Tokenizer {
  private static let marks = ["<s>", "</s>", "</t>"]
  let vocabularySize = 3 + 256
  let bos: TokenID? = 0
  let eos: TokenID? = 1
  let fingerprint = "marks"

  func encode(_ text: String, bos: Bool, special: Bool) -> [TokenID] {
    var ids: [TokenID] = bos ? [0] : []
    var rest = Substring(text)
    while !rest.isEmpty {
      if special, let id = Self.marks.firstIndex(where: { rest.hasPrefix($0) }) {
        ids.append(TokenID(id))
        rest = rest.dropFirst(Self.marks[id].count)
      } else {
        ids += String(rest.removeFirst()).utf8.map { 3 + TokenID($0) }
      }
    }
    return ids
  }

  func bytes(of token: TokenID, special: Bool) -> [UInt8] {
    if token >= 3 { return [UInt8(truncatingIfNeeded: token - 3)] }
    return special ? Array(Self.marks[Int(token)].utf8) : []
  }

  func piece(_ token: TokenID) -> String { token < 3 ? Self.marks[Int(token)] : "<\(token - 3)>" }
  func isControl(_ token: TokenID) -> Bool { token < 3 }

  static func engine(chatTemplate: String?) throws -> Engine {
    let config = ModelConfig(
      vocabSize: 259, hiddenSize: 32, intermediateSize: 64, numHiddenLayers: 1, numAttentionHeads: 2,
      numKeyValueHeads: 1, headDim: 16, maxPositionEmbeddings: 256, bosTokenID: 0, eosTokenIDs: [1])
    var options = Engine.Options()
    options.threadCount = 1
    return try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 1),
      tokenizer: MarkTokenizer(), chatTemplate: chatTemplate, name: "marks", fingerprint: "marks", options: options)
  }
}
