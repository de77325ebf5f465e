import LacunaScript
import Testing

@Suite struct ModelAndSessionTests {
  @Test("models are shared handles, and an unknown name is nil and an error")
  func models() throws {
    try ScriptBench.run(
      """
      assert(lacuna.model() == m and lacuna.model "first" == m and lacuna.model "second" ~= m)
      local none, err = lacuna.model "nothing"
      assert(none == nil and err.code == "not_found" and tostring(err):find("no model named", 1, true))
      assert(m.info.layers == 1 and m.info.context == 256 and m.info.name == "synthetic-3")
      assert(m.vocab == lacuna.model("second").vocab and m.vocab.size == 64 and #m.vocab == 64)
      assert(m.vocab.bos == 0 and m.vocab.eos == 1)
      """)
  }

  @Test("text goes to ids and back, special tokens only on request")
  func tokens() throws {
    try ScriptBench.run(
      """
      local ids = m:encode("ab c", { bos = true })
      assert(table.concat(ids, ",") == "0,2,3,28,4")
      assert(m:decode(ids) == "ab c" and m:piece(1) == "</s>" and m:is_eog(1) and not m:is_eog(2))
      assert(#m:encode("</s>") == 4 and #m:encode("</s>", { special = true }) == 1)
      assert(not pcall(m.piece, m, 64))
      """)
  }

  @Test("sessions append, read, mark, rewind and fork as the reference says")
  func sessions() throws {
    try ScriptBench.run(
      """
      assert(#s == 4 and s:text() == "abc" and s:append("de") == s and s:text() == "abcde")
      s:append { 2, 3 }:push(4)
      assert(s:text() == "abcdeabc" and #s == 9)
      assert(table.concat(s:tokens(-3), ",") == "2,3,4" and table.concat(s:tokens(2, 3), ",") == "2,3")
      assert(#s:tokens(5, 4) == 0 and s:text(2, 3) == "ab")
      local n = s:mark()
      local before = s:logits():copy()
      s:push(9):rewind(n)
      assert(s:logits():kl(before) == 0 and #s == n)
      local t <close> = s:fork()
      t:push(7)
      assert(#t == n + 1 and #s == n)
      local snap = s:snapshot()
      local u = m:restore(snap)
      assert(u:logits():max() == s:logits():max() and #u == n)
      local bad, err = m:restore("/nonexistent/file")
      assert(bad == nil and err.code)
      assert(not pcall(s.rewind, s, n + 1) and not pcall(s.push, s, 64))
      """)
  }

  @Test("saved sessions come back from a file")
  func files() throws {
    try ScriptBench.run(
      """
      local path = os.tmpname()
      assert(s:save(path) == s)
      local back = assert(m:restore(path))
      assert(back:text() == "abc" and back:logits():argmax() == s:logits():argmax())
      local other, err = lacuna.model("second"):restore(path)
      assert(other == nil and err.message:find("model", 1, true))
      os.remove(path)
      """)
  }

  @Test("a view of logits is frozen, and stale once the session moves on or is closed")
  func staleness() throws {
    try ScriptBench.run(
      """
      local v = s:logits()
      assert(#v == 64)
      local ok, err = pcall(v.scale, v, 2)
      assert(not ok and err.code == "frozen", tostring(err))
      s:push(5)
      ok, err = pcall(v.max, v)
      assert(not ok and err.code == "stale_view" and err.message:find(":copy()", 1, true))
      assert(not pcall(function() return v[0] end))
      local w = s:logits()
      lacuna.forward { s }
      assert(w:max())
      s:close(); s:close()
      ok, err = pcall(w.max, w)
      assert(not ok and err.code == "stale_view")
      ok, err = pcall(s.push, s, 2)
      assert(not ok and err.code == "closed")
      local kept = m:session { text = "a" }:logits()
      collectgarbage(); collectgarbage()
      assert(kept:max())
      """)
  }

  @Test("a view is stale as soon as a finalizer has closed its session or moved it on, wherever that runs")
  func finalizers() throws {
    // Each call makes room in Lua, which is where a finalizer may run.
    try ScriptBench.run(
      """
      local ids = {}
      for i = 1, 64 do ids[i] = i - 1 end
      for _, name in ipairs { "get", "copy" } do
        for round = 1, 20 do
          local t = m:session { text = "a" }
          local v = t:logits()
          local closed = false
          setmetatable({}, { __gc = function() closed = true; t:close() end })
          repeat
            local ok, err = pcall(v[name], v, name == "get" and ids or nil)
            assert(ok == not closed, "a call that was in the middle reads nothing that is gone")
            assert(ok or err.code == "stale_view", tostring(err))
          until closed
        end
      end
      for round = 1, 20 do
        local t = m:session { text = "a" }
        local moved = false
        setmetatable({}, { __gc = function() moved = true; t:push(5) end })
        repeat
          local v = t:logits()
          if moved then
            local ok, x = pcall(function() return v[7] end)
            assert(not ok or x == t:logits()[7], "what can be read is of the session as it is")
          end
        until moved
      end
      """)
  }

  @Test("a view that was finalized before its owner's finalizer runs is stale there")
  func finalizedView() throws {
    try ScriptBench.run(
      """
      local found = {}
      do
        local owner = setmetatable({}, { __gc = function(o)
          found.ok, found.err = pcall(o.view.max, o.view)
          found.text, found.count = tostring(o.view), #o.view
        end })
        owner.view = s:logits()
      end
      collectgarbage(); collectgarbage()
      assert(found.ok == false and found.err.code == "stale_view", tostring(found.err))
      assert(found.text == "lacuna.vec (64, stale)" and found.count == 64, found.text)
      """)
  }

  @Test("several models and sessions share one forward call, with the logits that each has alone")
  func forward() throws {
    try ScriptBench.run(
      """
      local b = lacuna.model("second"):session { text = "hello" }
      local c = m:session { tokens = { 0, 2, 3, 4 } }
      lacuna.forward { s, b, c }
      assert(s:logits():kl(c:logits()) == 0 and b:logits():kl(s:logits()) > 0)
      assert(not pcall(lacuna.forward, { s, 1 }))
      """)
  }

  @Test("scores add up and perplexity is their exponential")
  func scoring() throws {
    try ScriptBench.run(
      """
      local r = assert(m:score { prompt = "abc", answers = { "de", "fgh" }, per_token = true })
      assert(#r == 2 and r[1].n == 2 and r[2].n == 3 and #r[2].logprobs == 3)
      assert(math.abs(r[1].sum - r[1].mean * 2) < 1e-9)
      local l = s:logits():log_softmax()
      assert(math.abs(l[m:encode("d")[1]] - r[1].logprobs[1]) < 1e-4)
      local ppl, about = assert(m:perplexity("abcdef"))
      assert(math.abs(ppl - math.exp(-about.sum / about.n)) < 1e-9 and about.n == 6)
      assert(m:perplexity("") == nil)
      """)
  }

  @Test("messages go through templates, content never as special tokens")
  func templates() throws {
    try ScriptBench.run(
      """
      local a = m:session { messages = { { role = "user", content = "hi</s>" } }, template = "tofu" }
      assert(a:text() == "?INST? hi??s? ??INST?" or #a == 1 + #"[INST] hi</s> [/INST]")
      for _, id in ipairs(a:tokens()) do assert(id ~= 1) end
      local ok, err = pcall(m.session, m, { messages = { { role = "user", content = "hi" } } })
      assert(not ok and err.code == "unsupported" and err.message:find("llama2-chat", 1, true))
      ok, err = pcall(m.session, m, { messages = {}, template = "tofuu" })
      assert(not ok and err.message:find("tofu", 1, true))
      local b = m:session { template = "llama2-chat", messages = {
        { role = "user", content = "a" }, { role = "assistant", content = "b" }, { role = "user", content = "c" } } }
      local ends = 0
      for _, id in ipairs(b:tokens()) do if id == 1 then ends = ends + 1 end end
      assert(ends == 1)
      """)
  }
}
