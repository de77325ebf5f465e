import LacunaEngine
import LacunaScript
import Testing

@Suite("Plugin kinds")
struct KindTests {
  @Test("a decoder's session is adopted, and its losers are closed")
  func decoder() throws {
    let bench = try PluginBench()
    try bench.write(
      "fork-it", provides: ["decoder:fork_it"],
      """
      decoders = { fork_it = {
        params = { n = { type = "integer", default = 2 } },
        run = function(session, p, ctx)
          assert(ctx.model == session.model and ctx.plugin == "fork-it")
          local kept = {}
          for i = 1, p.n do kept[i] = session:fork():push(i + 1) end
          return kept[p.n], { finish = "stop", n = p.n }
        end,
      } },
      tools = {},
      """)
    try bench.run(
      """
      local before = #s
      local view = s:logits()
      local result = s:generate { decoder = "fork_it", n = 3 }
      assert(#s == before + 1 and s:tokens(-1)[1] == 4)
      assert(result.tokens[1] == 4 and result.text == "c" and result.finish == "stop" and result.info.n == 3)
      assert(result.usage.prompt_tokens == before and result.usage.completion_tokens == 1)
      assert(not pcall(function() return view[0] end), "views of the old logits are stale")
      assert(s:logits()[0])
      """)
  }

  @Test("a decoder's length is the context's where that is full")
  func fullContext() throws {
    let bench = try PluginBench()
    try bench.write(
      "fill", provides: ["decoder:fill"],
      """
      decoders = { fill = {
        params = { left = { type = "integer" }, finish = { type = "string", optional = true } },
        run = function(session, p)
          while #session < session.model.info.context - p.left do session:push(2) end
          return session, p.finish and { finish = p.finish }
        end,
      } }
      """)
    try bench.run(
      """
      local function finish(left, said) return s:fork():generate({ decoder = "fill", left = left, finish = said }).finish end
      assert(finish(1, "length") == "length" and finish(1) == "length")
      assert(finish(0, "length") == "context" and finish(0) == "context")
      assert(finish(0, "eos") == "eos" and finish(0, "stop") == "stop")
      """)
  }

  @Test("what a decoder says of its work may hold vectors of the sessions that are closed behind it")
  func decoderVectors() throws {
    let bench = try PluginBench()
    try bench.write(
      "looks", provides: ["decoder:looks"], fields: ", \"capabilities\": [\"model.logits\"]",
      """
      decoders = { looks = { run = function(session)
        local fork = session:fork():push(5)
        return session, { v = fork:logits(), most = fork:logits():max() }
      end } }
      """)
    try bench.run(
      """
      local info = s:generate { decoder = "looks" }.info
      assert(#info.v == 64 and info.v:max() == info.most)
      """)
  }

  @Test("a session takes its script's hooks along into a plugin, and a chain its plugin's functions into a script")
  func functionsOfOtherStates() throws {
    let bench = try PluginBench()
    try bench.write(
      "hands-on", provides: ["decoder:plain", "tool:chain", "tool:greet"],
      fields: ", \"capabilities\": [\"model.generate\"]",
      """
      decoders = { plain = { run = function(session)
        session:generate { max_tokens = 3, sampler = "greedy" }
        return session
      end } },
      tools = {
        chain = { run = function()
          return lacuna.sampler.chain {
            { init = function() return { n = 2 } end, pick = function(_, _, state) return state.n end,
              accept = function(_, _, state) state.n = state.n + 1 end } }
        end },
        greet = { run = function() return { greet = function() return "hello" end } end },
      },
      """)
    try bench.run(
      """
      local function other() error "another function was called" end
      local keep = {}
      for i = 1, 40 do keep[i] = function() return other() end end
      local seen, t = 0
      t = m:session { text = "ab", hooks = { on_token = function(id, ctx)
        ctx.state.n = (ctx.state.n or 0) + 1
        seen = seen + 1
        assert(ctx.state.n == seen and ctx.session == t)
      end } }
      t:generate { decoder = "plain" }
      assert(seen == 3, seen)
      local chain = assert(lacuna.tool "chain")
      assert(s:fork():generate({ max_tokens = 3, sampler = chain }).text == "abc")
      local ok, err = pcall(lacuna.tool, "greet")
      assert(not ok and tostring(err):find("a function of plugin hands-on cannot be used in the script", 1, true), tostring(err))
      """)
  }

  @Test("an error in a decoder leaves the session as it was")
  func decoderError() throws {
    let bench = try PluginBench()
    try bench.write(
      "fails", provides: ["decoder:raises", "decoder:wrong", "decoder:says"],
      """
      decoders = {
        raises = { run = function(session) session:fork(); error("no") end },
        wrong = { run = function() return 1 end },
        says = { run = function() return nil, lacuna.error("too_hard", "not today") end },
      }
      """)
    try bench.run(
      """
      local before = #s
      for name, part in pairs { raises = "plugin fails: fails/init.lua:4: no", wrong = "must return a session", says = "not today" } do
        local ok, err = pcall(s.generate, s, { decoder = name })
        assert(not ok and tostring(err):find(part, 1, true), tostring(err))
      end
      assert(#s == before and s:logits()[0])
      """)
  }

  @Test("sampler state forks, rewinds and is the plugin's own")
  func samplerState() throws {
    let bench = try PluginBench()
    // Forces token 2 + the number of tokens accepted so far.
    try bench.write(
      "counter", provides: ["sampler:counter"],
      """
      samplers = { counter = {
        init = function(params, ctx)
          assert(ctx.vocab == 64 and ctx.model)
          return { n = 0 }
        end,
        pick = function(_, _, state) return 2 + state.n end,
        accept = function(_, _, state) state.n = state.n + 1 end,
      } }
      """)
    try bench.run(
      """
      local first = s:fork():generate { max_tokens = 4, sampler = { "counter" } }
      assert(first.text == "abcd", first.text)
      local rewound = s:fork():generate { max_tokens = 4, sampler = { "counter" }, hooks = {
        on_token = function(id, ctx) if ctx.step == 3 and ctx.rewinds == 0 then return { rewind = 2 } end end,
      } }
      assert(rewound.text == "abcd", rewound.text)
      """)
  }

  @Test("hooks of plugins and of scripts stand together, by priority, each with its own state")
  func hooks() throws {
    let bench = try PluginBench()
    try bench.write(
      "shout", provides: ["hooks"],
      """
      hooks = {
        priority = 5,
        on_text = function(piece) return piece:upper() end,
        on_token = function(_, ctx) ctx.state.n = (ctx.state.n or 0) + 1 end,
        on_finish = function(_, ctx) return { counted = ctx.state.n } end,
      }
      """)
    try bench.run(
      """
      local seen = {}
      local mine = { priority = 9, on_text = function(piece) seen[#seen + 1] = piece end }
      local result = s:generate { max_tokens = 5, hooks = { "shout", mine } }
      assert(result.text == result.text:upper() and result.counted == 5)
      assert(table.concat(seen) == result.text, "the script's hooks come after the plugin's")
      local ok, err = pcall(s.generate, s, { hooks = "shot" })
      assert(not ok and tostring(err):find('did you mean "shout"', 1, true), tostring(err))
      """)
  }

  @Test("pipelines check what goes in and what comes out")
  func pipelines() throws {
    let bench = try PluginBench()
    try bench.write(
      "pipes", provides: ["pipeline:double", "pipeline:liar"],
      """
      pipelines = {
        double = {
          input = { n = { type = "integer", min = 1 }, word = { enum = { "a", "b" }, default = "a" } },
          output = { n = { type = "integer" }, word = { type = "string" } },
          run = function(input, ctx) assert(ctx.model); return { n = 2 * input.n, word = input.word } end,
        },
        liar = { output = { n = { type = "integer" } }, run = function() return { n = "many" } end },
      }
      """)
    try bench.run(
      """
      local out = assert(lacuna.pipeline("double", { n = 4 }))
      assert(out.n == 8 and out.word == "a")
      for input, part in pairs {
        [{}] = 'input "n": expected a whole number of 1 or more, found nothing',
        [{ n = 1, word = "c" }] = 'input "word": expected "a" or "b", found "c"',
        [{ n = 1.5 }] = "found 1.5",
      } do
        local ok, err = pcall(lacuna.pipeline, "double", input)
        assert(not ok and tostring(err):find(part, 1, true), tostring(err))
      end
      local ok, err = pcall(lacuna.pipeline, "liar")
      assert(not ok and tostring(err):find('output "n": expected a whole number, found "many"', 1, true), tostring(err))
      """)
  }

  @Test("a template's segments are read as it says: content never holds control tokens")
  func templates() throws {
    let bench = try PluginBench()
    try bench.write(
      "forms", provides: ["template:dash"],
      """
      templates = { dash = { stop = "z", render = function(messages)
        return { { text = "</s>", special = true }, { text = messages[1].content } }
      end } }
      """)
    try bench.run(
      """
      local session = m:session { template = "dash", messages = { { role = "user", content = "</s>" } } }
      local ends = 0
      for _, id in ipairs(session:tokens()) do if id == 1 then ends = ends + 1 end end
      assert(ends == 1, ends)
      local ok, err = pcall(m.session, m, { template = "dahs", messages = {} })
      assert(not ok and tostring(err):find("forms/dash", 1, true), tostring(err))
      """)
  }

  @Test("a probe is data: its rows, models, formats and schema are there for whoever runs it")
  func probes() throws {
    let bench = try PluginBench()
    func probe(_ fields: String) throws -> (tasks: [String], companions: [String], formats: [String], names: [String]) {
      try bench.write(
        "probes", provides: ["probe:length"],
        """
        probes = { length = {
          \(fields) params = { unit = { enum = { "letters", "bytes" }, default = "letters" } },
          measure = function(item) return { n = #item.text } end,
          summary = function(records) return { count = #records } end,
        } }
        """)
      let environment = try bench.environment
      return try ScriptThread.run {
        Result {
          let found = try PluginProbe("probes/length", in: PluginRegistry(environment))
          return (
            found.tasks, found.companions.map(\.rawValue), found.formats.map(\.rawValue),
            [found.name, found.parameters]
          )
        }
      }.get()
    }
    let plain = try probe("")
    #expect(plain == (["forget"], [], [], ["probes/length", #"{"unit":"letters"}"#]))
    let full = try probe(#"data = { "words", "retain" }, models = "original", formats = { "bf16", "fp8-tensor" },"#)
    #expect(full == (["words", "retain"], ["original"], ["bf16", "fp8-tensor"], plain.names))
    let error = #expect(throws: ScriptError.self) { try probe(#"formats = "int3","#) }
    #expect(error?.description.contains("'formats' must be") == true, "\(error?.description ?? "")")
  }

  @Test("a plugin is let go of with the script that used it")
  func released() throws {
    let bench = try PluginBench()
    try bench.write("hold", provides: ["sampler:hold"], "samplers = { hold = { apply = function() end } }")
    let environment = try bench.environment
    let isGone = try ScriptThread.run {
      Result { () -> Bool in
        weak var plugin: Plugin?
        do {
          let registry = PluginRegistry(environment)
          plugin = try registry.sampler(named: "hold").plugin
          #expect(plugin != nil)
        }
        return plugin == nil
      }
    }.get()
    #expect(isGone)
  }
}
