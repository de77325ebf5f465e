import LacunaScript
import Testing

@Suite struct ScriptGenerationTests {
  @Test("a result holds text, tokens, finish, log-probabilities and usage")
  func results() throws {
    try ScriptBench.run(
      """
      local start = s:mark()
      local r = s:generate { max_tokens = 8, sampler = { { "temperature", t = 2 }, { "dist" } }, logprobs = 2 }
      assert(r.finish == "length" or r.finish == "eos")
      assert(#r.tokens == #r.logprobs and #r.top == #r.tokens and #r.top[1] == 2)
      assert(r.usage.prompt_tokens == 4 and r.usage.completion_tokens == #r.tokens)
      assert(#s == start + #r.tokens)
      s:rewind(start)
      local again = s:generate { max_tokens = 8, sampler = { { "temperature", t = 2 }, { "dist" } } }
      assert(table.concat(again.tokens, ",") == table.concat(r.tokens, ","))
      s:rewind(start)
      local other = s:generate { max_tokens = 8, stream = 1, sampler = { { "temperature", t = 2 }, { "dist" } } }
      assert(table.concat(other.tokens, ",") ~= table.concat(r.tokens, ","))
      """)
  }

  @Test("streams give what generate gives, and break closes them")
  func streams() throws {
    try ScriptBench.run(
      """
      local start, text, ids = s:mark(), {}, {}
      for piece, ev in s:stream { max_tokens = 6, sampler = { "greedy" } } do
        text[#text + 1] = piece
        ids[#ids + 1] = ev.token
      end
      s:rewind(start)
      local r = s:generate { max_tokens = 6, sampler = { "greedy" } }
      assert(table.concat(text) == r.text and table.concat(ids, ",") == table.concat(r.tokens, ","))
      s:rewind(start)
      for _ in s:stream { max_tokens = 6, sampler = { "greedy" } } do
        local ok, err = pcall(s.push, s, 3)
        assert(not ok and err.code == "busy")
        break
      end
      s:push(3)
      assert(not pcall(function() for _ in s:stream { max_tokens = 9 } do error("x") end end))
      s:push(3)
      """)
  }

  @Test("greedy equals a Lua selector that takes the argmax, and a bare function is a filter")
  func luaStages() throws {
    try ScriptBench.run(
      """
      local start = s:mark()
      local native = s:generate { max_tokens = 6, sampler = { { "greedy" } } }
      s:rewind(start)
      local lua = s:generate { max_tokens = 6, sampler = { { pick = function(v) return v:argmax() end } } }
      assert(table.concat(native.tokens, ",") == table.concat(lua.tokens, ","))
      s:rewind(start)
      local only = s:generate { max_tokens = 3, sampler = { function(v) v:fill(-1 / 0); v[7] = 0 end, { "greedy" } } }
      assert(table.concat(only.tokens, ",") == "7,7,7")
      s:rewind(start)
      local drawn = s:generate { max_tokens = 4, sampler = { { pick = function(v, _, _, step) return v:sample(step.rng) end } } }
      s:rewind(start)
      local again = s:generate { max_tokens = 4, sampler = { { pick = function(v, _, _, step) return v:sample(step.rng) end } } }
      assert(table.concat(drawn.tokens, ",") == table.concat(again.tokens, ","))
      """)
  }

  @Test(
    "a function's parameters can be counted, unless it takes any number of arguments or is not Lua's",
    arguments: [
      ("function() end", 0), ("function(a, b, c) end", 3), ("function(a, b, c, d) end", 4), ("function(...) end", 9),
      ("function(a, ...) end", 9), ("select", 9), ("coroutine.wrap(function(a) end)", 9),
    ])
  func countsParameters(_ function: String, _ count: Int) throws {
    try ScriptBench.withRuntime { runtime in
      let state = runtime.state
      guard
        case .function(let function)? = try state.call(
          try state.load(Array("return \(function)".utf8), name: "=function")
        ).first
      else {
        Issue.record("no function")
        return
      }
      #expect((1...9).filter { state.takes($0, function) } == Array(1..<(count + 1)))
    }
  }

  @Test("a stage gets the step as its fourth argument, or among any number of them")
  func stepOfStage() throws {
    try ScriptBench.run(
      """
      local count = #s
      local seen = {}
      local function see(step)
        seen[#seen + 1] = ("%d %d %d %d"):format(step.index, step.position - count, step.prompt - count, #step.tokens - count)
      end
      local fourth = function(v, _, _, step) see(step) end
      local any = function(...) assert(select("#", ...) == 4); see((select(4, ...))) end
      local few = function(v, params) assert(params) end
      s:generate { max_tokens = 2, sampler = { fourth, any, few, { "greedy" } } }
      assert(table.concat(seen, ";") == "0 0 0 0;0 0 0 0;1 1 0 1;1 1 0 1", table.concat(seen, ";"))
      """)
  }

  @Test("a stage's state is plain data, rewinds with its tokens, and its scratch Vec dies with the call")
  func stageState() throws {
    try ScriptBench.run(
      """
      local seen, kept = {}
      local stage = {
        name = "count", init = function() return { n = 0 } end,
        apply = function(v, params, state, step) seen[#seen + 1] = state.n; kept = v end,
        accept = function(id, params, state) state.n = state.n + 1 end,
      }
      local back = false
      s:generate { max_tokens = 3, sampler = { stage, { "greedy" } }, hooks = {
        on_token = function(id, ctx) if ctx.step == 2 and not back then back = true; return { rewind = 2 } end end } }
      assert(table.concat(seen, ",") == "0,1,2,0,1,2", table.concat(seen, ","))
      local ok, err = pcall(kept.max, kept)
      assert(not ok and err.code == "stale_view")
      ok, err = pcall(s.generate, s, { max_tokens = 2, sampler = {
        { apply = function(v, p, state) state.v = v end }, { "greedy" } } })
      assert(not ok and tostring(err):find("plain data", 1, true), tostring(err))
      """)
  }

  @Test("a Vec in a stage's params or in what a hook returns is a copy, whatever becomes of the script's own")
  func vectorsThatCross() throws {
    try ScriptBench.run(
      """
      local function collect()
        collectgarbage(); collectgarbage()
        local junk = {}
        for i = 1, 8 do junk[i] = lacuna.vec.new(50000, 7) end
      end
      local seen
      local function make()
        return lacuna.sampler.chain { { apply = function(_, p) seen = p.v end, params = { v = lacuna.vec.new(50000, 1.5) } },
          { "greedy" } }
      end
      local chain = make()
      collect()
      s:fork():generate { max_tokens = 1, sampler = chain }
      assert(#seen == 50000 and seen[0] == 1.5 and seen[49999] == 1.5)
      local r = s:fork():generate { max_tokens = 1, sampler = "greedy", hooks = {
        { on_finish = function() return { v = lacuna.vec.new(50000, 1.5), set = lacuna.set.new(70, { 3, 69 }) } end },
        { on_finish = collect },
      } }
      assert(#r.v == 50000 and r.v[0] == 1.5 and r.v[49999] == 1.5)
      assert(r.set == lacuna.set.new(70, { 3, 69 }))
      """)
  }

  @Test("chains are checked where they are made")
  func chains() throws {
    try ScriptBench.run(
      """
      local function fails(list, text)
        local ok, err = pcall(lacuna.sampler.chain, list)
        assert(not ok and tostring(err):find(text, 1, true), tostring(err))
      end
      fails({ { "min_p", p = 0.1 } }, "selector")
      fails({ { "greedy" }, { "min_p", p = 0.1 } }, "greedy")
      fails({ { "mni_p", p = 0.1 }, { "greedy" } }, "min_p")
      fails({ { "min_p", q = 0.1 }, { "greedy" } }, "q")
      fails({ { aply = print }, { "greedy" } }, "apply")
      fails({ 3, { "greedy" } }, "stage 1")
      local chain = lacuna.sampler.chain { { "top_k", k = 2 }, { "dist" } }
      assert(#chain == 2)
      local report = chain:explain(s:logits())
      assert(report[1].name == "input" and report[2].survivors == 2 and #report[3].ids == 1)
      local r = s:generate { max_tokens = 2, sampler = chain }
      assert(#r.tokens <= 2)
      assert(#lacuna.sampler.stages() > 10)
      """)
  }

  @Test("hooks see and change every step, with a state that is their own")
  func hooks() throws {
    try ScriptBench.run(
      """
      local log = {}
      local h = {
        on_logits = function(v, ctx) ctx.state.n = (ctx.state.n or 0) + 1; v[9] = 100; assert(#ctx.session == 4 + ctx.step) end,
        on_token = function(id, ctx)
          assert(id == 9 and ctx.logprob <= 0 and ctx.state.n == ctx.step + 1)
          if ctx.step == 3 then return "stop" end
          return 2 + ctx.step
        end,
        on_text = function(piece, ctx) return piece:upper() end,
        on_finish = function(result, ctx) return { hooked = ctx.state.n, text = result.text .. "!" } end,
      }
      local r = s:generate { max_tokens = 9, sampler = { "greedy" }, hooks = h }
      assert(r.finish == "stop" and r.hooked == 4 and r.text == "ABC!", r.text)
      assert(table.concat(r.tokens, ",") == "2,3,4")
      local p = m:session { text = "zz", hooks = {
        on_prompt = function(text) return text .. "a" end, on_tokens = function(ids) ids[#ids + 1] = 5; return ids end } }
      assert(p:text() == "zzad")
      local ok, err = pcall(s.generate, s, { hooks = { on_tokn = print } })
      assert(not ok and tostring(err):find("on_token", 1, true))
      """)
  }

  @Test("a prompt given to generate is appended, and seen by on_prompt and on_tokens first")
  func promptOfGeneration() throws {
    try ScriptBench.run(
      """
      local seen = {}
      local h = {
        on_prompt = function(text) seen[#seen + 1] = text; return text .. "b" end,
        on_tokens = function(ids) seen[#seen + 1] = #ids; ids[#ids + 1] = 5; return ids end,
      }
      local r = s:generate { text = "a", max_tokens = 1, hooks = h, sampler = { "greedy" } }
      assert(seen[1] == "a" and seen[2] == 2 and r.usage.prompt_tokens == 7 and s:text(1, 7) == "abcabd")
      local empty = m:session()
      empty:generate { text = "a", max_tokens = 1 }
      assert(empty:tokens(1, 2)[1] == 0, "an empty session begins with BOS")
      local chat = m:session()
      chat:generate { messages = { { role = "user", content = "hi" } }, template = "raw", max_tokens = 1 }
      assert(chat:text():find("hi", 1, true))
      local ids = m:session():generate { tokens = { 0, 4, 5 }, max_tokens = 1 }
      assert(ids.usage.prompt_tokens == 3)
      -- The session's own hooks see it too.
      local own = m:session { hooks = { on_prompt = function(text) return text .. "z" end } }
      own:generate { text = "a", max_tokens = 1 }
      assert(own:text(1, 3) == "az")
      for _, name in ipairs { "on_prompt", "on_tokens" } do
        local before = #s
        local ok, err = pcall(s.generate, s, { hooks = { [name] = function() end } })
        assert(not ok and tostring(err):find(name .. " has no prompt to see", 1, true), tostring(err))
        assert(#s == before)
      end
      assert(not pcall(s.generate, s, { text = "a", tokens = { 1 } }))
      assert(not pcall(s.generate, s, { template = "raw" }))
      """)
  }

  @Test("speculation gives the same text and counts its guesses, and a session keeps what it learned")
  func speculation() throws {
    try ScriptBench.run(
      """
      local start = s:mark()
      local sampler = { { "penalties", repetition = 1.1 }, function(v) v[3] = v[3] + 1 end, { "temperature", t = 0.8 }, { "dist" } }
      local function run(speculate)
        s:rewind(start)
        local pieces = {}
        local stream = s:stream { max_tokens = 30, sampler = sampler, speculate = speculate }
        for piece, ev in stream do
          assert(#s == start + #pieces + (ev.token and 1 or 0))
          pieces[#pieces + 1] = piece
        end
        return table.concat(pieces, "|"), stream:result()
      end
      local plain, r = run()
      assert(r.usage.drafted == nil)
      local other = assert(lacuna.model "second")
      for _, how in ipairs { { lookup = 1, tokens = 4 }, { draft = m, tokens = 4 }, { lookup = 2, draft = m }, { lookup = 3 } } do
        local text, r = run(how)
        assert(text == plain)
        assert(r.usage.accepted <= r.usage.drafted and r.usage.passes + r.usage.accepted >= #r.tokens)
      end
      local _, r = run { draft = m, tokens = 5 }
      assert(r.usage.drafted > 0)
      for _, bad in ipairs { {}, { lookup = 0 }, { lookup = "x" }, { draft = 3 }, { draft = s }, { tokens = 3 }, { look = 1 },
          { lookup = 2, tokens = 99 } } do
        local before = #s
        assert(not pcall(s.generate, s, { text = "a", speculate = bad }) and #s == before)
        local _, errors = lacuna.parallel({ 1 }, function() s:fork():generate { max_tokens = 1, speculate = bad } end)
        assert(errors[1] and errors[1].code, "what is wrong is wrong beside others too")
      end
      """)
  }

  @Test("an error in a hook or stage comes out as itself, and the session works on")
  func callbackErrors() throws {
    try ScriptBench.run(
      """
      local mark, value = s:mark(), { "my own" }
      local ok, err = pcall(s.generate, s, { max_tokens = 3, hooks = { on_token = function() error(value) end } })
      assert(not ok and err == value)
      ok, err = pcall(s.generate, s, { sampler = { function() error("deep", 0) end, { "greedy" } } })
      assert(not ok and err == "deep")
      ok, err = pcall(s.generate, s, { max_tokens = 1, hooks = { on_logits = function() error(nil) end } })
      assert(not ok and err == nil)
      ok, err = pcall(s.generate, s, { max_tokens = 1, hooks = { on_logits = function() s:push(2) end } })
      assert(not ok and err.code == "busy")
      local co = coroutine.wrap(function()
        s:generate { max_tokens = 1, hooks = { on_logits = function() coroutine.yield() end } }
      end)
      ok, err = pcall(co)
      assert(not ok and tostring(err):find("yield", 1, true))
      s:rewind(mark)
      assert(#s:generate { max_tokens = 2, sampler = { "greedy" } }.tokens <= 2)
      """)
  }
}
