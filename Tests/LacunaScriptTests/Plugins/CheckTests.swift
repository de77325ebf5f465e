import LacunaEngine
import LacunaScript
import Testing

@Suite("Sampler check")
struct CheckTests {
  private func findings(_ sampler: String) throws -> [PluginCheck.Finding] {
    let bench = try PluginBench()
    try bench.write("tried", provides: ["sampler:tried"], "samplers = { tried = { \(sampler) } }")
    let environment = try bench.environment
    return ScriptThread.run { PluginCheck.run("tried", PluginRegistry(environment)) }
  }

  @Test("an honest sampler passes")
  func honest() throws {
    let findings = try findings(
      """
      params = { t = { type = "number", default = 0.7, min = 0.1, max = 2 } }, argmax_invariant = true,
      init = function() return { n = 0 } end,
      accept = function(_, _, state) state.n = state.n + 1 end,
      apply = function(logits, params, state) logits:scale(1 / (params.t + state.n)) end,
      """)
    #expect(findings.map(\.failure) == [nil, nil])
  }

  @Test(
    "parameters may have wide ranges and large defaults",
    arguments: [
      "type = \"integer\", default = 1, min = -1e30", "type = \"integer\", default = math.maxinteger",
      "type = \"integer\", default = math.mininteger", "type = \"integer\", default = 0, min = -2^62, max = 2^62",
      "type = \"number\", default = 1e308", "type = \"number\", default = 0, min = -1e308, max = 1e308",
    ])
  func ranges(_ parameter: String) throws {
    let findings = try findings("params = { n = { \(parameter) } }, apply = function() end")
    #expect(findings.map(\.failure) == [nil, nil])
  }

  @Test("a bound is a finite number", arguments: ["min = -math.huge", "max = math.huge", "min = 0 / 0"])
  func bounds(_ bound: String) throws {
    let failure = try findings("params = { n = { type = \"integer\", default = 1, \(bound) } }, apply = function() end")
      .compactMap(\.failure).first
    #expect(failure?.contains("must be a finite number") == true, "\(failure ?? "none")")
  }

  @Test(
    "each promise that is broken is named",
    arguments: [
      ("apply = function(l) l[0] = 0 / 0 end", "no NaN"),
      ("apply = function(l) l:mask_below(math.huge) end", "at least one token survives"),
      ("apply = function(l) l:fill(0) end", "masked stays masked"),
      ("apply = function(l) local m, id = l:max(); l[id] = m - 50 end, argmax_invariant = true", "argmax_invariant"),
      // A tie that greedy would break otherwise.
      (
        "apply = function(l) local m = l:max(); for i = 0, #l - 1 do if l[i] > -math.huge then l[i] = m end end end, "
          + "argmax_invariant = true", "argmax_invariant"
      ),
      ("pick = function(l) return 0 end", "pick returns a token that is not masked"),
      ("pick = function(l) return 'x' end", "pick must return a token id"),
      (
        "apply = (function() local n = 0; return function(l) n = n + 1; l:scale(n) end end)()",
        "the same seed, the same result"
      ),
      (
        "init = function() return { n = 0 } end, accept = function(_, _, s) s.n = s.n + 1; s[1] = s.n end, "
          + "apply = function(l, _, s) l:scale(1 / (1 + s.n)) end",
        "state survives being saved as JSON"
      ),
      ("apply = function(l) error('oops') end", "oops"),
      ("init = function() return print end, apply = function() end", "function"),
    ])
  func broken(_ sampler: String, _ expected: String) throws {
    let failure = try #require(try findings(sampler).last?.failure)
    #expect(failure.contains(expected), "\(failure)")
  }
}
