import LacunaEngine
import LacunaScript
import Synchronization
import Testing

@Suite("lacuna.parallel")
struct ParallelTests {
  /// Functions of an item's number that ask a model for something in every way, and return plain data.
  static let tasks = [
    "greedy":
      "local s = m:session { text = ('abcdefghi'):rep(i) }; return s:generate { max_tokens = 6, sampler = { 'greedy' } }",
    "sampled": """
    local s <close> = m:session { text = ('ab c'):rep(i), seed = i }
    return s:generate { max_tokens = 8, stream = 3, logprobs = 2,
      sampler = { { 'penalties', repetition = 1.2 }, { 'temperature', t = 1.7 }, { 'min_p', p = 0.02 }, { 'dist' } } }
    """,
    "mirostat":
      "local s = m:session { text = 'xyz', seed = i }; return s:generate { max_tokens = 9, sampler = { { 'mirostat', tau = 3 } } }",
    "stage": """
    local s = m:session { text = 'q', seed = i }
    return s:generate { max_tokens = 7, sampler = { {
      init = function() return { n = 0 } end,
      apply = function(v, p, state) v[(state.n * 7 + i) % 60 + 2] = v:max() + 1 end,
      accept = function(id, p, state) state.n = state.n + id end }, { 'temperature', t = 2 }, { 'dist' } } }
    """,
    "hooks": """
    local s, seen = m:session { text = 'hook', seed = i }, 0
    local r = s:generate { max_tokens = 9, sampler = { { 'temperature', t = 2 }, { 'dist' } }, hooks = {
      on_logits = function(v, ctx) ctx.state.n = (ctx.state.n or 0) + 1; seen = seen + m:session { text = 'z' }:logits():max() end,
      on_token = function(id, ctx)
        if ctx.step == 4 and ctx.rewinds < 2 then return { rewind = 2 } end
        if id % 5 == 0 then return (id + 1) % 60 + 2 end
      end,
      on_finish = function(r, ctx) return { steps = ctx.state.n } end } }
    return { r, seen }
    """,
    "grammar": """
    local s = m:session { text = 'g', seed = i }
    return s:generate { max_tokens = 20, grammar = assert(lacuna.grammar.regex '[a-f]{3} [g-z]{2,5}'),
      sampler = { { 'temperature', t = 2 }, { 'dist' } } }
    """,
    "stream": """
    local s, all = m:session { text = 'stream', seed = i }, {}
    for piece, event in s:stream { max_tokens = 3 + i, sampler = { { 'temperature', t = 3 }, { 'dist' } } } do
      all[#all + 1] = { piece, event.token or -1, event.logprob or 0 }
    end
    return all
    """,
    "rewinds": """
    local s, all = m:session { text = 'again', seed = i }, {}
    local start = s:mark()
    for try = 1, 3 do
      all[try] = s:generate { max_tokens = i, stream = try, sampler = { { 'temperature', t = 2 }, { 'dist' } } }
      s:rewind(start)
    end
    return all
    """,
    "beams": """
    local root = m:session { text = ('be'):rep(i) }
    local beams = { root:fork():push(5), root:fork():push(6), root }
    local ids = {}
    for step = 1, 5 do
      lacuna.forward(beams)
      for b, beam in ipairs(beams) do
        local id = beam:logits():argmax()
        ids[#ids + 1] = id
        ids[#ids + 1] = beam:logits():logsumexp()
        beam:push(id)
      end
    end
    return ids
    """,
    "two models": """
    local a, b = m:session { text = 'pair' }, lacuna.model('second'):session { text = ('pair'):rep(i) }
    local all = {}
    for step = 1, 4 do
      lacuna.forward { a, b }
      local id = (a:logits():copy():axpy(-0.5, b:logits())):argmax()
      all[step] = { id, a:logits()[id], b:logits()[id] }
      a:push(id); b:push(id)
    end
    return all
    """,
    "scores": """
    return { m:score { prompt = 'question ' .. i, answers = { 'abc', 'abd', 'x' }, per_token = true },
      m:score_many { { prompt = 'question ' .. i, answers = { 'one', 'two' } }, { prompt = 'q', answers = { 'z' }, eos = true } },
      { m:perplexity(('long text '):rep(10 * i), { stride = 50 }) } }
    """,
    "traces": """
    local t, s = m:trace(('trace'):rep(i), { hidden = { 0, 1 }, lens = { 1 } }), m:session { text = ('x'):rep(i) }
    return { t.hidden[0][1]:sum(), t.hidden[1][#t.tokens]:norm(), t.lens[1][#t.tokens]:max(), s:hidden(1):sum(), (s:lens(1):max()) }
    """,
    "protected": """
    local s = m:session { text = 'p' }
    local meta = setmetatable({}, { __index = function(_, key) return s:logits()[key] end,
      __add = function(a, b) s:push(b); return s:logits():max() end, __lt = function() s:push(7); return s:logits():sum() < 0 end })
    local out = { meta[3], meta + i, meta < meta }
    out[4] = select(2, pcall(function() s:push(9); return s:logits():sum() end))
    out[5] = tostring(select(2, pcall(function() s:push(10); s:logits(); error('late', 0) end)))
    out[6] = select(2, xpcall(function() s:push(11); return s:generate { max_tokens = 2 } .text end, debug.traceback))
    do local closer <close> = setmetatable({}, { __close = function() s:push(12); out[7] = s:logits():max() end }) end
    for x in function(_, last) if (last or 0) < 3 then s:push(13); s:logits(); return (last or 0) + 1 end end do out[7 + x] = s:logits():max() end
    return out
    """,
    "own coroutines": """
    local s, out = m:session { text = 'co' }, {}
    local next_logit = coroutine.wrap(function() while true do s:push(i + 3); coroutine.yield(s:logits():max()) end end)
    for n = 1, 3 do out[n] = next_logit() end
    local co = coroutine.create(function() return s:generate { max_tokens = 3 }.tokens end)
    out[4] = select(2, coroutine.resume(co))
    return out
    """,
    "nested": """
    return (lacuna.parallel({ 1, 2, 3 }, function(k)
      local s = m:session { text = ('n'):rep(k * i), seed = k }
      return { s:generate { max_tokens = k, sampler = { { 'temperature', t = 2 }, { 'dist' } } }, s:logits():max() }
    end, { max = 2 }))
    """,
  ]

  private static func environment(threads: Int) throws -> ScriptEnvironment {
    var options = Engine.Options()
    options.threadCount = threads
    let (first, second) = try ScriptBench.shared.get()
    let engines = try [first, second].map { try Engine(sharing: $0, options: options) }
    return ScriptEnvironment { $0 == "second" ? engines[1] : engines[0] }
  }

  /// What the script writes.
  private static func output(_ source: String, threads: Int) throws -> String {
    let written = Mutex<[UInt8]>([])
    var environment = try environment(threads: threads)
    environment.write = { bytes in written.withLock { $0 += bytes } }
    try LuaHost(environment).run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
    return String(decoding: written.withLock { $0 }, as: UTF8.self)
  }

  @Test("a script's text and numbers are those that it has alone, to the last bit", arguments: tasks.keys.sorted())
  func values(task: String) throws {
    let body = try #require(Self.tasks[task])
    // Numbers are written in full.
    let start = """
      local function show(v)
        if type(v) ~= 'table' then return math.type(v) == 'float' and ('%a'):format(v) or tostring(v) end
        local keys = {}
        for key in pairs(v) do keys[#keys + 1] = key end
        table.sort(keys, function(x, y) return tostring(x) < tostring(y) end)
        for n, key in ipairs(keys) do keys[n] = tostring(key) .. '=' .. show(v[key]) end
        return '{' .. table.concat(keys, ',') .. '}'
      end
      local function task(i) \(body) end\n
      """
    let expected = try Self.output(start + "for i = 1, 5 do lacuna.write(show(task(i)), '\\n') end", threads: 1)
    #expect(expected.split(separator: "\n").count == 5)
    for threads in [1, 3] {
      for most in [1, 2, 4, 16] {
        let together = try Self.output(
          start + """
            local results, errors = lacuna.parallel({ 1, 2, 3, 4, 5 }, task, { max = \(most) })
            for i, err in pairs(errors) do error(tostring(err)) end
            for i = 1, 5 do lacuna.write(show(results[i]), '\\n') end
            """, threads: threads)
        #expect(together == expected, "\(threads) threads, max = \(most)")
      }
    }
  }

  @Test("items share passes: eight that decode take the passes of one, and a few")
  func sharing() throws {
    let environment = try Self.environment(threads: 1)
    let engine = try environment.resolveModel(nil)
    func passes(_ source: String) throws -> Int {
      let before = engine.passTally.passes
      try LuaHost(environment).run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
      return engine.passTally.passes - before
    }
    let task =
      "local function task(i) return m:session { text = 'text', seed = i }:generate { max_tokens = 20, sampler = { function(v) v[1] = -1/0 end, { 'dist' } } } end "
    let one = try passes(task + "task(1)")
    #expect(one == 20)
    #expect(try passes(task + "lacuna.parallel({ 1, 2, 3, 4, 5, 6, 7, 8 }, task)") == one)
    #expect(try passes(task + "lacuna.parallel({ 1, 2, 3, 4, 5, 6, 7, 8 }, task, { max = 4 })") == 2 * one)
  }

  @Test("results are in the order of the items, values are the very same, and failures are beside them")
  func results() throws {
    try ScriptBench.run(
      """
      local marks = { {}, 'two', {}, print, 5, {} }
      local results, errors = lacuna.parallel(marks, function(item, i)
        assert(rawequal(item, marks[i]))
        local t = m:session { text = 'ab' }
        for _ = i, 6 do t:push(i + 3); t:logits() end
        if i == 2 then error 'broken' end
        if i == 3 then error(item) end
        if i == 4 then return nil, lacuna.error('expected', 'not today') end
        if i == 5 then return end
        return item, 'more'
      end, { max = 3 })
      assert(rawequal(results[1], marks[1]) and rawequal(results[6], marks[6]))
      assert(results[2] == nil and results[5] == nil and errors[5] == nil)
      assert(tostring(errors[2]):find 'test:%d+: broken', tostring(errors[2]))
      assert(rawequal(errors[3], marks[3]) and errors[4].code == 'expected')
      assert(errors[1] == nil and errors[6] == nil)
      local none, no_errors = lacuna.parallel({}, print)
      assert(next(none) == nil and next(no_errors) == nil)
      local results, errors = lacuna.parallel({ 1, 2 }, function(i) if i == 1 then error() else error(false) end end)
      assert(errors[1].code == 'error' and tostring(errors[1]):find 'nil' and errors[2] == false, tostring(errors[1]))
      -- What the host refuses has its code and the item's line.
      local _, refused = lacuna.parallel({ 1 }, function() m:session { text = 'a' }:rewind(99) end)
      assert(refused[1].code == 'invalid_argument' and refused[1].where:find '^test:', tostring(refused[1].where))
      assert(refused[1].traceback:find 'test:%d+: in function')
      """)
  }

  @Test("what an item has to close is closed when it fails")
  func closing() throws {
    try ScriptBench.run(
      """
      local closed = {}
      local _, errors = lacuna.parallel({ 1, 2 }, function(i)
        local guard <close> = setmetatable({}, { __close = function(_, err) closed[i] = tostring(err) end })
        local t = m:session { text = 'ab' }
        t:logits()
        if i == 1 then error 'x' end
        t:push(4):logits()
      end)
      assert(closed[1]:find 'x' and closed[2] == 'nil' and errors[2] == nil)
      local _, errors = lacuna.parallel({ 1 }, function()
        local guard <close> = setmetatable({}, { __close = function() error('while closing', 0) end })
        m:session { text = 'ab' }:logits()
        error('first', 0)
      end)
      assert(errors[1] == 'while closing', tostring(errors[1]))
      """)
  }

  @Test("where Lua cannot be left the error says what was called, where, and inside what")
  func obstacles() throws {
    for (call, name) in [
      ("table.sort({ 1, 2 }, function() return t:logits():max() < 0 end)", "sort"),
      ("('ab'):gsub('.', function() t:logits() end)", "gsub"),
      (
        "table.sort({ 1, 2 }, function() return pcall(function() t:generate { max_tokens = 1 } end) or error(select(2, pcall(t.generate, t))) end)",
        "sort"
      ),
    ] {
      try ScriptBench.run(
        """
        local _, errors = lacuna.parallel({ 1 }, function()
          local t = m:session { text = 'ab' };
          \(call)
        end)
        local err = assert(errors[1])
        assert(err.code == 'cannot_wait', tostring(err))
        assert(tostring(err):find("inside '\(name)'", 1, true), tostring(err))
        assert(err.where:find '^test:3', err.where)
        """)
    }
    // What is refused has changed nothing.
    try ScriptBench.run(
      """
      local seen = 0
      local _, errors = lacuna.parallel({ 1 }, function()
        local t = m:session { text = 'ab' }
        local before = #t
        local hooks = { on_prompt = function() seen = seen + 1 end }
        local ok, err = pcall(function() ('x'):gsub('x', function() t:generate { text = 'cd', hooks = hooks } end) end)
        assert(not ok and err.code == 'cannot_wait' and #t == before and seen == 0, #t)
        assert(#t:push(5) == before + 1)
        assert(#t:generate({ text = 'cd', max_tokens = 1, hooks = hooks }).tokens == 1 and seen == 1)
      end)
      assert(next(errors) == nil, tostring(errors[1]))
      """)
    // Once the logits are there nothing has to be waited for.
    try ScriptBench.run(
      """
      local _, errors = lacuna.parallel({ 1 }, function()
        local t = m:session { text = 'ab' }
        t:logits()
        table.sort({ 1, 2 }, function() return t:logits():max() < -1e9 end)
      end)
      assert(next(errors) == nil, tostring(errors[1]))
      """)
  }

  @Test("items that wait cannot be resumed, closed or robbed of their sessions by others")
  func interference() throws {
    try ScriptBench.run(
      """
      local threads, shared = {}, m:session { text = 'shared' }
      local results, errors = lacuna.parallel({ 1, 2 }, function(i)
        threads[i] = coroutine.running()
        if i == 1 then return shared:logits():max() end
        local ok, why = coroutine.resume(threads[1], 'stolen')
        assert(not ok and why:find 'waits for its model', why)
        local ok, why = pcall(coroutine.close, threads[1])
        assert(not ok and why:find 'waits for its model', why)
        local ok, why = pcall(coroutine.wrap(function() return coroutine.close(threads[2]) end))
        assert(not ok)
        for _, change in ipairs { function() shared:push(4) end, function() shared:rewind(1) end,
            function() shared:append 'x' end, function() shared:generate { max_tokens = 1 } end } do
          local ok, err = pcall(change)
          assert(not ok and err.code == 'busy', tostring(err))
        end
        shared:close()
        return 'done'
      end)
      assert(errors[1].code == 'closed' and results[2] == 'done', tostring(errors[2]))
      assert(coroutine.status(threads[1]) == 'dead' and coroutine.status(threads[2]) == 'dead')

      local other = m:session { text = 'both' }
      local results = lacuna.parallel({ 1, 2, 3 }, function() return other:logits():max() end)
      assert(results[1] == results[2] and results[2] == results[3] and results[1] == other:logits():max())
      -- A stream that one item is in the middle of is busy for the others.
      local stream = m:session { text = 'st' }:stream { max_tokens = 3 }
      local _, errors = lacuna.parallel({ 1, 2 }, function() return stream() end)
      assert(errors[1] == nil and errors[2].code == 'busy', tostring(errors[2]))
      """)
  }

  @Test("a session whose decoder waits is held as one that generates is, but for the decoder itself")
  func decoderHolds() throws {
    let bench = try PluginBench()
    try bench.write(
      "steps", provides: ["decoder:steps", "decoder:own"],
      fields: ", \"capabilities\": [\"model.logits\", \"model.generate\"]",
      """
      decoders = {
        steps = { run = function(session)
          local fork = session:fork()
          for _ = 1, 4 do fork:push(fork:logits():argmax()) end
          return fork
        end },
        own = { run = function(session)
          for _ = 1, 2 do session:push(session:logits():argmax()) end
          session:generate { decoder = "steps" }
          session:generate { max_tokens = 2, sampler = "greedy" }
          return session
        end },
      }
      """)
    try bench.run(
      """
      for _, name in ipairs { 'steps', 'own' } do
        local alone = s:fork()
        alone:generate { decoder = name }
        local t = s:fork()
        local results, errors = lacuna.parallel({ 1, 2 }, function(i)
          if i == 1 then return t:generate({ decoder = name }).tokens end
          local other = m:session { text = 'a' }
          local refused = 0
          for _ = 1, 3 do
            other:push(5):logits()
            local ok, err = pcall(t.push, t, 9)
            assert(not ok and err.code == 'busy', tostring(err))
            refused = refused + 1
          end
          return refused
        end)
        assert(results[1] and results[2] == 3, tostring(errors[1]) .. tostring(errors[2]))
        assert(t:text() == alone:text())
        t:push(9)
      end
      """)
  }

  @Test("a yield to nobody fails its item")
  func yields() throws {
    try ScriptBench.run(
      """
      local results, errors = lacuna.parallel({ 1, 2 }, function(i)
        m:session { text = 'y' }:logits()
        if i == 1 then coroutine.yield(3) end
        return i
      end)
      assert(errors[1].code == 'cannot_yield' and errors[1].where:find '^test:3' and results[2] == 2, tostring(errors[1]))
      """)
  }

  @Test("arguments are checked, and there is nothing to wait for in an item without a model")
  func arguments() throws {
    try ScriptBench.run(
      """
      local function fails(pattern, ...)
        local ok, err = pcall(lacuna.parallel, ...)
        assert(not ok and tostring(err):find(pattern), tostring(err))
      end
      fails('table expected', 5, print)
      fails('function expected', {}, {})
      fails("unknown option 'maxx'", {}, print, { maxx = 3 })
      fails('from 1 to 256', {}, print, { max = 0 })
      local results = lacuna.parallel({ 3, 4 }, function(x) return x * x end)
      assert(results[1] == 9 and results[2] == 16)
      """)
  }

  @Test("plugins' pipelines, tools and decoders share passes and give what they give alone")
  func plugins() throws {
    let bench = try PluginBench()
    try bench.write(
      "answers", provides: ["pipeline:answer", "tool:count", "decoder:pairs", "pipeline:spin"],
      fields: ", \"capabilities\": [\"model.generate\", \"model.logits\"]",
      """
      pipelines = {
        answer = { input = { text = { type = "string" } }, run = function(input, ctx)
          local s <close> = ctx.model:session { text = input.text }
          local r = s:generate { decoder = "pairs", steps = 4 }
          return { text = r.text, sum = ctx:tool("count", { text = r.text }) }
        end },
        spin = { input = {}, run = function(input, ctx) return assert(ctx:pipeline("spin", {})) end },
      },
      tools = { count = { description = "counts", params = { text = { type = "string" } }, run = function(args)
        return #args.text + lacuna.model():session { text = args.text .. "a" }:logits():argmax()
      end } },
      decoders = { pairs = { params = { steps = { type = "integer", default = 2 } }, run = function(session, p)
        local a, b = session:fork(), session:fork()
        b:push(7)
        for _ = 1, p.steps do
          lacuna.forward { a, b }
          a:push(a:logits():argmax()); b:push(b:logits():argmax())
        end
        return a:logits():max() > b:logits():max() and a or b
      end } },
      """)
    try bench.run(
      """
      local words, expected = { 'abc', 'de', 'fghijk', 'l' }, {}
      for i, word in ipairs(words) do expected[i] = assert(lacuna.pipeline('answer', { text = word })) end
      local results, errors = lacuna.parallel(words, function(word) return lacuna.pipeline('answer', { text = word }) end)
      for i in ipairs(words) do
        assert(results[i].text == expected[i].text and results[i].sum == expected[i].sum, tostring(errors[i]))
      end
      for _, run in ipairs { function(f) return f() end, function(f) local r, e = lacuna.parallel({ 1 }, f); return r[1], e[1] end } do
        local result, err = run(function() return lacuna.pipeline('spin', {}) end)
        assert(result == nil and tostring(err):find 'more than 16 deep', tostring(err))
      end
      local busy = m:session { text = 'decoders share' }
      local results = lacuna.parallel({ 1, 2, 3 }, function(i)
        return busy:fork():push(i + 3):generate { decoder = 'pairs', steps = i }.tokens
      end)
      for i = 1, 3 do
        local alone = busy:fork():push(i + 3):generate { decoder = 'pairs', steps = i }.tokens
        assert(table.concat(results[i], ',') == table.concat(alone, ','))
      end
      """)
  }

  @Test("a script that is stopped stops between two passes, and closes what its items have open")
  func cancellation() throws {
    let host = LuaHost(try ScriptBench.environment())
    host.cancel(after: 0.05)
    let error = #expect(throws: ScriptError.self) {
      try host.run(
        LuaHost.Script(
          name: "test",
          source: ScriptBench.prelude + """
            lacuna.parallel({ 1, 2, 3 }, function(i)
              while true do
                local t <close> = m:session { text = 'a', seed = i }
                pcall(function() t:generate { max_tokens = 100, sampler = { function(v) v[1] = -1/0 end, { 'dist' } } } end)
              end
            end)
            """))
    }
    #expect(error?.code == "cancelled")
  }

  @Test("a limit ends a sandboxed state with all its items, and a plugin's limit only its own items")
  func limits() throws {
    let endless =
      "lacuna.parallel({ 1, 2, 3 }, function(i) while true do local t = m:session { text = 'a', seed = i }; t:generate { max_tokens = 30, sampler = { { 'dist' } } } end end)"
    func environment(_ change: (inout SandboxPolicy) -> Void) throws -> ScriptEnvironment {
      var policy = SandboxPolicy(name: "test")
      policy.capabilities = Capability.model
      change(&policy)
      var environment = try ScriptBench.environment()
      environment.sandbox = policy
      return environment
    }
    func failure(_ source: String, _ environment: ScriptEnvironment) throws -> ScriptError {
      do {
        try LuaHost(environment).run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
      } catch {
        return error
      }
      throw ScriptBench.NoFailure()
    }
    let cases: [(words: String, source: String, change: (inout SandboxPolicy) -> Void)] = [
      ("limit of 100 ms for a call", endless, { $0.callMilliseconds = 100 }),
      ("token limit of 300", endless, { $0.tokens = 300 }),
      (
        "limit of 1 MiB of sessions",
        """
        local keep = {}
        lacuna.parallel({ 1, 2, 3 }, function(i)
          while true do
            local t = m:session { text = 'abc' }
            keep[#keep + 1] = t
            t:logits()
          end
        end)
        """, { $0.kvBytes = 1 << 20 }
      ),
    ]
    for (words, source, change) in cases {
      let error = try failure(source, try environment(change))
      #expect(error.code == "limit" && error.message.contains(words), "\(error)")
    }
    // What was not granted is refused in an item as elsewhere.
    let denied = try failure(
      "local _, e = lacuna.parallel({ 1 }, function() m:session { text = 'a' }:logits() end) error(e[1])",
      try environment { $0.capabilities = [.modelGenerate] })
    #expect(denied.code == "denied", "\(denied)")

    let bench = try PluginBench()
    try bench.write(
      "slow", provides: ["pipeline:loop", "pipeline:wait"],
      fields: ", \"capabilities\": [\"model.logits\", \"model.generate\"], \"limits\": { \"call_ms\": 60 }",
      """
      pipelines = {
        loop = { input = {}, run = function() while true do end end },
        wait = { input = {}, run = function(_, ctx)
          local s = ctx.model:session { text = "w" }
          while true do s:rewind(1); s:push(5):logits() end
        end },
      }
      """)
    try bench.run(
      """
      local results, errors = lacuna.parallel({ 'loop', 'none', 'wait', 'none' }, function(name)
        if name == 'none' then return m:session { text = 'a' }:logits():max() end
        return lacuna.pipeline(name, {})
      end, { max = 4 })
      assert(results[2] == results[4] and results[2], tostring(errors[2]))
      assert(errors[1].code == 'limit' and errors[3].code == 'limit', tostring(errors[1]) .. tostring(errors[3]))
      """)
  }

  @Test("score_many shares beginnings across its items, tells of them in order, and fails them one by one")
  func scoreMany() throws {
    let environment = try Self.environment(threads: 1)
    let engine = try environment.resolveModel(nil)
    let source = """
      local question = ('what is it that this long question asks '):rep(2)
      local list = {}
      for i = 1, 6 do list[i] = { prompt = question, answers = { ('a'):rep(i), 'b c', 'de' }, per_token = true } end
      list[4] = { prompt = 'x', answers = { ('too long '):rep(100) } }
      list[5] = { prompt = 'none', answers = {} }
      local order = {}
      local results, errors = m:score_many(list, { on_item = function(i, scores, err)
        order[#order + 1] = i
        assert((scores == nil) == (i == 4) and (err ~= nil) == (i == 4))
      end })
      assert(table.concat(order, ',') == '1,2,3,4,5,6')
      assert(results[4] == nil and errors[4].code == 'context_full' and #results[5] == 0)
      for _, i in ipairs { 1, 2, 3, 6 } do assert(results[i][1].n == i and results[i][3].logprobs[2] == results[1][3].logprobs[2]) end
      assert(not pcall(m.score_many, m, { 5 }) and not pcall(m.score_many, m, { { prompt = 'a' } }))
      local ok, err = pcall(m.score_many, m, { { prompt = 'a', answers = { 'b' } } }, { on_item = function() error 'from the callback' end })
      assert(not ok and tostring(err):find 'from the callback')
      """
    try LuaHost(environment).run(LuaHost.Script(name: "test", source: ScriptBench.prelude + source))
    // The question's 81 tokens once, and some forty of answers; without sharing they would be 12 times as many.
    #expect(engine.passTally.tokens < 81 + 60)
  }
}
