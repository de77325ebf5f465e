import LacunaEngine
import LacunaScript
import Testing

@Suite struct LibraryTests {
  @Test("the linked library tells its own release, and 5.4.4 its bugs")
  func release() throws {
    #expect(LuaLibrary.release.wholeMatch(of: /Lua 5\.4\.\d+/) != nil)
    #expect(LuaLibrary.knownBugs.isEmpty == (Int(LuaLibrary.release.split(separator: ".")[2])! >= 8))
  }

  @Test("vectors reduce, make, change and draw as documented")
  func vectors() throws {
    try ScriptBench.run(
      """
      local vec = require "lacuna.vec"
      local v = vec.of { 1, 3, 2, -1 / 0 }
      local x, id = v:max()
      assert(x == 3 and id == 1 and v:argmax() == 1 and #v == 4 and v[2] == 2)
      v[3] = 0
      assert(v:sum() == 6 and v:dot(v) == 14 and math.abs(v:norm() - math.sqrt(14)) < 1e-6)
      assert(math.abs(v:cosine(v) - 1) < 1e-6 and v:rank(1) == 1 and v:rank(3) == 4)
      local lse = math.log(math.exp(1) + math.exp(3) + math.exp(2) + 1)
      assert(math.abs(v:logsumexp() - lse) < 1e-6)
      local p = v:softmax()
      assert(math.abs(p:sum() - 1) < 1e-6 and math.abs(v:log_softmax()[1] - (3 - lse)) < 1e-6)
      local h = 0
      for i = 0, 3 do h = h - p[i] * math.log(p[i]) end
      assert(math.abs(v:entropy() - h) < 1e-6 and v:kl(v) == 0)
      local ids, values = v:topk(2)
      assert(ids[1] == 1 and ids[2] == 2 and values[1] == 3 and #v:topk(9) == 4)
      assert(#v:below(2) == 2 and v:below(2):contains(0) and #v:top_mass(0.6) == 1 and #v:top_mass(1) == 4)
      assert(v:copy():scale(2)[1] == 6 and v:copy():add(1)[0] == 2 and v:copy():add(v)[1] == 6)
      assert(v:copy():axpy(-1, v):sum() == 0 and v:copy():clamp(1, 2):sum() == 6)
      assert(v:copy():bias { [0] = 4 }[0] == 5 and v:copy():fill(7)[3] == 7)
      assert(#v:copy():mask(v:below(2)):topk(4) == 2 and #v:copy():keep(v:below(2)):topk(4) == 2)
      assert(#v:copy():mask_below(2):topk(4) == 2)
      assert(table.concat(v:get { 1, 0 }, ",") == "3.0,1.0" and v:copy():set({ 0, 1 }, 9)[1] == 9)
      local rng = lacuna.rng(1)
      local counts = { [0] = 0, 0, 0, 0 }
      for _ = 1, 2000 do local i = v:sample(rng); counts[i] = counts[i] + 1 end
      for i = 0, 3 do assert(math.abs(counts[i] / 2000 - p[i]) < 0.05) end
      local drawn = v:gumbel_topk(3, rng)
      assert(#drawn == 3 and drawn[1] ~= drawn[2])
      for _, bad in ipairs {
        function() return v[4] end, function() return v[-1] end, function() v[0] = "x" end,
        function() v:softmax(0) end, function() v:add(vec.new(3)) end, function() v:topk(-1) end,
        function() v:mask(m.vocab:set()) end, function() return v.nothing end } do
        assert(not pcall(bad))
      end
      """)
  }

  @Test(
    "over whole vocabularies, vectors agree with sums written out in Lua",
    arguments: [1, 63, 64, 65, 1023, 1025, 5000])
  func vectorsAgainstLua(count: Int) throws {
    try ScriptBench.run(
      """
      local vec <const>, n <const> = require "lacuna.vec", \(count)
      local rng <const> = lacuna.rng(7)
      local v <const>, w <const> = vec.new(n), vec.new(n)
      for i = 0, n - 1 do
        v[i] = i % 3 == 1 and -1 / 0 or 12 * rng:uniform()
        w[i] = 3 * rng:normal()
      end
      local function near(a, b, what) assert(math.abs(a - b) <= 2e-5 * (1 + math.abs(b)), what .. ": " .. a .. ", " .. b) end
      local sorted, p, total, top = {}, {}, 0, -1 / 0
      for i = 0, n - 1 do
        if v[i] > -1 / 0 then sorted[#sorted + 1] = i end
        top = math.max(top, v[i])
      end
      table.sort(sorted, function(a, b) return v[a] == v[b] and a < b or v[a] > v[b] end)
      for i = 0, n - 1 do total = total + math.exp(v[i] - top) end
      for i = 0, n - 1 do p[i] = math.exp(v[i] - top) / total end
      near(v:logsumexp(), top + math.log(total), "logsumexp")
      local entropy, kl, lw = 0, 0, w:log_softmax()
      for i = 0, n - 1 do
        if p[i] > 0 then
          entropy = entropy - p[i] * math.log(p[i])
          kl = kl + p[i] * (math.log(p[i]) - lw[i])
        end
      end
      near(v:entropy(), entropy, "entropy")
      near(v:kl(w), kl, "kl")
      local masked = w:copy(); masked[sorted[1]] = -1 / 0
      assert(v:kl(masked) == 1 / 0)
      for rank, id in ipairs(sorted) do
        if rank % 97 == 1 then assert(v:rank(id) == rank) end
      end
      local ids, values = v:topk(n)
      assert(#ids == #sorted)
      for i, id in ipairs(sorted) do assert(ids[i] == id and values[i] == v[id]) end
      for _, share in ipairs { 0, 0.3, 0.99, 0.9999 } do
        local mass, expected = 0, 0
        repeat expected = expected + 1; mass = mass + p[sorted[expected]] until mass >= share or expected == #sorted
        local size = #v:top_mass(share)
        assert(math.abs(size - expected) <= 1, share .. ": " .. size .. ", " .. expected)
      end
      local below = v:below(6)
      local kept, dropped = v:copy():keep(below), v:copy():mask(below)
      for i = 0, n - 1 do
        assert(below[i] == (v[i] < 6))
        assert(kept[i] == (v[i] < 6 and v[i] or -1 / 0) and dropped[i] == (v[i] < 6 and -1 / 0 or v[i]))
      end
      local cold, sum = v:softmax(0.01), 0
      for i = 0, n - 1 do sum = sum + math.exp((v[i] - top) / 0.01) end
      near(cold[sorted[1]], 1 / sum, "softmax(0.01)")
      near(v:softmax(1e-42):sum(), 1, "softmax(1e-42)")
      local counts = 0
      for _ = 1, 400 do counts = counts + (v[v:sample(rng)] >= top - 2 and 1 or 0) end
      local share = 0
      for i = 0, n - 1 do share = share + (v[i] >= top - 2 and p[i] or 0) end
      -- Five standard deviations.
      assert(math.abs(counts / 400 - share) <= 5 * math.sqrt(share * (1 - share) / 400) + 1e-6)
      """)
  }

  @Test("NaN wins no maximum and passes no threshold")
  func nan() throws {
    try ScriptBench.run(
      """
      local v = require("lacuna.vec").of { 0 / 0, 1, 0 / 0 }
      assert(v:argmax() == 1 and #v:topk(3) == 1 and #v:below(0) == 2)
      assert(require("lacuna.vec").of({ 0 / 0 }):max() == nil)
      """)
  }

  @Test("what a function is given beside its arguments is no concern of it")
  func extraArguments() throws {
    try ScriptBench.run(
      """
      local v = lacuna.vec.of { 1, 2, 3 }
      for _, extra in ipairs { {}, 5, "text", print } do
        local values = v:get({ 0, 2 }, extra)
        assert(values ~= extra and #values == 2 and values[2] == 3)
      end
      assert(not pcall(getmetatable(lacuna.rng).__call))
      """)
  }

  @Test("sets combine and iterate")
  func sets() throws {
    try ScriptBench.run(
      """
      local a, b = m.vocab:set { 1, 2, 63 }, m.vocab:set { 2, 3 }
      assert(#(a | b) == 4 and #(a & b) == 1 and #(a ~ b) == 3 and #(a - b) == 2 and #~a == 61)
      assert(a == m.vocab:set { 63, 2, 1 } and a ~= b and a[63] and not a[0] and not a:contains(64))
      local seen = {}
      for id in a:each() do seen[#seen + 1] = id end
      assert(table.concat(seen, ",") == "1,2,63" and table.concat(a:ids(), ",") == "1,2,63")
      assert(#a:add(5):remove { 1, 2 } == 2 and not pcall(a.add, a, 64))
      """)
  }

  @Test("random numbers are the engine's, and a function of seed, stream and position")
  func randomNumbers() throws {
    var random = SeededRandom(seed: 7, stream: 3, position: 0)
    let first = (Double(random.next() >> 12) + 0.5) * 0x1p-52
    try ScriptBench.run(
      """
      local r = lacuna.rng(7, 3)
      assert(r:uniform() == \(first) and r.position == 1)
      local a, b = lacuna.rng(7, 3), lacuna.rng(7, 3)
      b:uniform()
      assert(a:fork(2):uniform() == b:fork(2):uniform() and a:fork(2):uniform() ~= a:fork(1):uniform())
      for _ = 1, 100 do local i = a:integer(-2, 2); assert(i >= -2 and i <= 2) end
      assert(not pcall(a.integer, a, 2, 1) and #a:shuffle { 1, 2, 3 } == 3 and a:choice { 5 } == 5)
      local x = math.random(); math.randomseed(9); local y = math.random(); math.randomseed(9)
      assert(y == math.random() and x ~= y and math.random(3) <= 3)
      """)
  }

  @Test("JSON goes both ways, with null and empty arrays")
  func json() throws {
    try ScriptBench.run(
      """
      local json = lacuna.json
      assert(json == require "lacuna.json")
      assert(json.encode { b = 1, a = { 1, 2.5, json.null, true }, ["ü"] = "\\n\\1" } ==
        '{"a":[1,2.5,null,true],"b":1,"ü":"\\\\n\\\\u0001"}')
      assert(json.encode {} == "{}" and json.encode(json.array()) == "[]" and json.encode(json.decode "[]") == "[]")
      local v = json.decode '{"x":[1,1.0,"é",null]}'
      assert(math.type(v.x[1]) == "integer" and math.type(v.x[2]) == "float" and v.x[4] == json.null)
      local none, err = json.decode '{"a":1,}'
      assert(none == nil and err.code == "malformed")
      local loop = {}; loop.loop = loop
      for _, bad in ipairs { print, { [1] = 1, x = 2 }, 0 / 0, { [true] = 1 }, loop } do
        assert(not pcall(json.encode, bad))
      end
      """)
  }
}
