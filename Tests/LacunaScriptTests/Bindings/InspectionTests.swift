import LacunaScript
import Testing

@Suite struct InspectionTests {
  @Test("a trace has vectors of one's own by layer, head and position")
  func traces() throws {
    try ScriptBench.run(
      """
      local t = m:trace("abc", { hidden = { 0, 1 }, attention = { [1] = { 1 } }, lens = "all" })
      assert(table.concat(t.tokens, ",") == "0,2,3,4" and table.concat(t.positions, ",") == "1,2,3,4")
      assert(#t.hidden[0] == 4 and #t.hidden[1][4] == m.info.hidden and #t.lens[1][4] == #m.vocab)
      assert(t.attention[1][0] == nil and #t.attention[1][1][3] == 3)
      assert(math.abs(t.attention[1][1][3]:sum() - 1) < 1e-4 and t.attention[1][1][1][0] == 1)
      assert(t.lens[1][4]:copy():axpy(-1, s:logits()):norm() == 0)
      t.hidden[1][4]:scale(2)                     -- nobody else's
      -- The same of a session, at chosen positions, without moving it on.
      local logits = s:logits()
      local u = s:trace { hidden = { 1 }, positions = { 2, -1 } }
      assert(u.hidden[1][1] == nil and u.hidden[1][2] and u.hidden[1][4] and next(u.lens) == nil)
      assert(table.concat(u.positions, ",") == "2,4" and logits:max())
      assert(u.hidden[1][4]:copy():scale(2):axpy(-1, t.hidden[1][4]):norm() == 0)
      assert(s:trace({ hidden = { 1 }, positions = "last" }).hidden[1][4]:dot(u.hidden[1][4]) > 0)
      local all = m:trace({ 0, 2, 3, 4 }, { attention = "all" }).attention
      assert(#all == 1 and all[1][0] and all[1][1] and all[1][0][4]:sum() > 0.99)
      m:trace({ { role = "user", content = "hi" } }, { template = "tofu", hidden = { 0 } })
      """)
  }

  @Test("what is not there to be traced is named")
  func refusals() throws {
    for (source, message) in [
      ("m:trace('a', { hidden = { 2 } })", "expected layers from 0 to 1, found 2"),
      ("m:trace('a', { attention = { [1] = { 2 } } })", "expected heads from 0 to 1, found 2"),
      ("m:trace('a', { attention = { 0 } })", "{ [layer] = { head, ... } }"),
      ("m:trace('a', { hidden = 1 })", "\"all\" or a list of layers"),
      ("m:trace('a', { hiden = { 1 } })", "did you mean \"hidden\""),
      ("m:trace('a', { positions = { 0 } })", "positions from 1"),
      ("m:trace('a', { positions = { -3 } })", "found -3 of 2"),
      ("m:trace('a', { positions = { 3 } })", "positions of the 2 tokens"),
      ("m:trace({}, { hidden = { 1 } })", "empty session"),
      ("s:hidden(2)", "expected 0 to 1, found 2"),
      ("s:embedding { pooling = 'max' }", "\"mean\" or \"last\""),
    ] {
      let error = try ScriptBench.failure(source)
      #expect(error.message.contains(message), "\(source): \(error)")
    }
  }

  @Test("states of the last position are views like logits, and come along with every pass")
  func states() throws {
    try ScriptBench.run(
      """
      local logits = s:logits()
      local h, l = s:hidden(1), s:lens(1)
      assert(#h == 32 and l:copy():axpy(-1, logits):norm() == 0)
      local ok, err = pcall(h.scale, h, 2)
      assert(not ok and err.code == "frozen")
      local kept = h:copy()
      s:push(5)
      ok, err = pcall(h.norm, h)
      assert(not ok and err.code == "stale_view" and err.message:find(":copy()", 1, true))
      local f <close> = s:fork()
      lacuna.forward { s, f }
      assert(s:hidden(1):copy():axpy(-1, f:hidden(1)):norm() == 0)
      assert(s:rewind(4):hidden(1):copy():axpy(-1, kept):norm() == 0)
      local t = s:trace { hidden = { 1 } }
      local mean = t.hidden[1][1]:copy():add(t.hidden[1][2]):add(t.hidden[1][3]):add(t.hidden[1][4]):scale(0.25)
      assert(s:embedding():axpy(-1, mean):norm() < 1e-5)
      assert(s:embedding({ layer = 1, pooling = "last" }):axpy(-1, kept):norm() == 0)
      assert(s:embedding({ positions = { 2 } }):axpy(-1, t.hidden[1][2]):norm() == 0)
      -- In a hook, while the session generates.
      local seen = 0
      s:generate { max_tokens = 3, sampler = "greedy", hooks = { on_logits = function(_, ctx)
        seen = seen + ctx.session:hidden(1):norm()
      end } }
      assert(seen > 0)
      """)
  }

  @Test("side by side, traces and states are those of each alone")
  func parallel() throws {
    try ScriptBench.run(
      """
      local up = require("lacuna.vec").new(32, 1)
      local function look(word)
        local t = m:trace(word, { hidden = { 1 }, lens = { 0 }, attention = "all" })
        local s <close> = m:session { text = word, patches = { m:patch { layer = 0, add = up, scale = #word } } }
        local seen = { t.hidden[1][#t.tokens]:sum(), t.lens[0][2]:sum(), t.attention[1][1][2][0] }
        for _ = 1, 3 do
          seen[#seen + 1] = s:hidden(1):sum()
          seen[#seen + 1] = s:lens(0):max()
          s:push(s:logits():argmax())
        end
        return table.concat(seen, " ")
      end
      local words = { "abc", "de", "fghij", "k", "abc" }
      local together = lacuna.parallel(words, look)
      for i, word in ipairs(words) do assert(together[i] == look(word), word) end
      assert(together[1] == together[5] and together[1] ~= together[2])
      """)
  }

  @Test("patches change a session from its first token, and its forks, and nobody else")
  func patches() throws {
    try ScriptBench.run(
      """
      local vec = require "lacuna.vec"
      local up = vec.new(32, 1)
      local plain = s:logits():copy()
      local function far(x) return x:logits():copy():axpy(-1, plain):norm() end
      local p <close> = m:patch { layer = 1, add = up, scale = 4, positions = "last" }
      local a <close> = m:session { text = "abc", patches = { p } }
      local b <close> = m:session { text = "abc", patches = { m:patch { layer = 1, add = up:copy():scale(4) } } }
      local c <close> = m:session { text = "abc" }
      lacuna.forward { a, b, c }
      assert(far(a) > 0 and far(a) == far(b) and far(c) == 0, "behind the only block the past does not matter")
      assert(far(a:fork()) == far(a) and far(m:restore(a:snapshot())) == far(a))
      a:push(5):push(6)
      b:push(5):push(6)
      assert(a:logits():kl(b:logits()) == 0, "each token after the prompt's last is a last one")
      -- At the prompt's second-last position the last one's logits change through attention alone, behind layer 0.
      local q = m:patch { layer = 0, at = "resid", replace = up, positions = { -2 } }
      local r = m:patch { layer = 0, replace = up, positions = { 3 } }
      local d, e = m:session { text = "abc", patches = { q } }, m:session { text = "abc", patches = { r } }
      assert(far(d) > 0 and far(d) == far(e))
      -- Nothing is left of a block whose attention and MLP are scaled by nothing.
      local off = { m:patch { layer = 1, at = "attn", scale = 0 }, m:patch { layer = 1, at = "mlp", scale = 0 } }
      local t = m:session({ text = "abc", patches = off })
      assert(t:lens(1):copy():axpy(-1, t:lens(0)):norm() == 0)
      local traced = m:trace("abc", { lens = { 0, 1 }, patches = off })
      assert(traced.lens[1][4]:copy():axpy(-1, t:lens(1)):norm() == 0)
      local none, err = a:save(os.tmpname())
      assert(none == nil and err.code == "unsupported" and err.message:find("patches", 1, true))
      -- A closed patch is for nobody new; who has it keeps it.
      p:close()
      local ok, err = pcall(m.session, m, { text = "abc", patches = { p } })
      assert(not ok and err.code == "closed", tostring(err))
      a:push(7); a:logits()
      """)
  }

  @Test("patches that cannot be are refused by name")
  func patchRefusals() throws {
    let prefix = "local v = require('lacuna.vec').new(32) "
    for (source, message) in [
      ("m:patch { add = v }", "option 'layer' is missing"),
      ("m:patch { layer = 1 }", "one of the options 'add', 'replace' and 'scale'"),
      ("m:patch { layer = 1, add = v, replace = v }", "found both"),
      ("m:patch { layer = 2, add = v }", "expected a layer from 0 to 1, found 2"),
      ("m:patch { layer = 0, at = 'mlp', add = v }", "expected a layer from 1 to 1, found 0"),
      ("m:patch { layer = 1, at = 'mpl', add = v }", "\"resid\" or \"attn\" or \"mlp\""),
      ("m:patch { layer = 1, add = { 1 } }", "expected a Vec"),
      ("m:patch { layer = 1, add = s:logits() }", "expected a vector of 32 elements, found 64"),
      ("m:patch { layer = 1, add = v, positions = 'first' }", "\"all\", \"last\" or a list"),
      ("m:session { patches = { m:patch { layer = 1, add = v, positions = 'last' } } }", "needs the session's prompt"),
      ("m:session { text = 'a', patches = { m:patch { layer = 1, add = v, positions = { -9 } } } }", "found -9 of 2"),
      ("m:session { text = 'a', patches = { v } }", "made by model:patch"),
      ("lacuna.model('second'):session { text = 'a', patches = { m:patch { layer = 1, add = v } } }", "synthetic-4"),
    ] {
      let error = try ScriptBench.failure(prefix + source)
      #expect(error.message.contains(message), "\(source): \(error)")
    }
  }

  @Test("the Jensen-Shannon divergence is that of its definition, symmetric, and ln 2 at most")
  func divergence() throws {
    try ScriptBench.run(
      """
      local vec = require "lacuna.vec"
      local a, b = vec.of { 1, 2, -1 / 0, 0.5 }, vec.of { 0, -1 / 0, 3, 0.5 }
      local p, q, sum = a:softmax(), b:softmax(), 0
      for i = 0, 3 do
        local mean = (p[i] + q[i]) / 2
        if p[i] > 0 then sum = sum + p[i] * math.log(p[i] / mean) / 2 end
        if q[i] > 0 then sum = sum + q[i] * math.log(q[i] / mean) / 2 end
      end
      assert(math.abs(a:jsd(b) - sum) < 1e-6 and a:jsd(b) == b:jsd(a) and a:jsd(a) == 0)
      local x, y = vec.new(3000, 0):bias { [0] = 90 }, vec.new(3000, 0):bias { [2999] = 90 }
      assert(math.abs(x:jsd(y) - math.log(2)) < 1e-6)
      assert(not pcall(a.jsd, a, x))
      """)
  }
}
