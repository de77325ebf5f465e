import LacunaEngine
import Testing

@Suite("Patterns over module names")
struct NamePatternTests {
  private func matches(_ pattern: String, _ name: String) throws -> Bool {
    var budget = NamePattern.Budget(steps: 100_000)
    return try NamePattern(pattern).matches(name, budget: &budget)
  }

  // Expected values: Python 3, re.match(pattern, name) is not None.
  @Test(
    "matching agrees with Python's re.match",
    arguments: [
      (".*lm_head", "lm_head", true), (".*self_attn", "model.layers.0.self_attn.q_proj", true),
      ("self_attn", "model.layers.0.self_attn.q_proj", false), ("model", "model.layers", true),
      (".*mlp.gate$", "model.layers.0.mlp.gate", true), (".*mlp.gate$", "model.layers.0.mlp.gate_proj", false),
      (#"model\.layers\.[0-3]\..*"#, "model.layers.3.mlp", true),
      (#"model\.layers\.[0-3]\..*"#, "model.layers.4.mlp", false),
      (#".*\.\d{1,2}\.mlp"#, "model.layers.12.mlp", true), (#".*\.\d{1,2}\.mlp"#, "model.layers.123.mlp", false),
      (".*(q|k|v)_proj$", "x.k_proj", true), (".*(?:q|k|v)_proj$", "x.o_proj", false),
      ("^(?!.*down).*_proj", "a.up_proj", true), ("^(?!.*down).*_proj", "a.down_proj", false),
      ("a(?=b)b", "ab", true), ("[^a-c]x", "dx", true), ("[^a-c]x", "bx", false), ("[]a]+$", "]a", true),
      ("(a+)+b", "aaab", true), ("(a|ab)(c|bcd)$", "abcd", true), ("a*?b", "aab", true), ("a{2}$", "aa", true),
      ("a{2,}$", "a", false), ("", "anything", true), (#"\bmlp\b"#, "mlp.x", true), ("(|a)+$", "aa", true),
      (#"\w+\.\D+$"#, "mod.x9", false), ("x|", "y", true),
    ])
  func semantics(pattern: String, name: String, expected: Bool) throws {
    #expect(try matches(pattern, name) == expected)
  }

  @Test(
    "syntax outside the subset is refused, naming the pattern",
    arguments: [
      "(", ")", "a)", "[a", "*a", "a**", "(?<=a)b", "(?P<n>a)", #"\1"#, #"\p"#, "a{3,2}", "a{", "[b-a]", "\\",
    ])
  func refusals(pattern: String) throws {
    let error = try #require(throws: LacunaError.self) { _ = try NamePattern(pattern) }
    #expect(error.code == .unsupported && error.message.contains("pattern"))
  }

  @Test("a pattern made to backtrack for ever ends in an error", .timeLimit(.minutes(1)))
  func budget() throws {
    let name = String(repeating: "a", count: 40)
    for pattern in ["(a+)+$", "(a|a)*b", "(a*)*b", "((a*)*)*b", String(repeating: "a?", count: 400) + "b"] {
      var budget = NamePattern.Budget(steps: 1_000_000)
      _ = try? NamePattern(pattern).matches(name + "!", budget: &budget)
      #expect(budget.steps >= 0)
    }
    #expect(throws: LacunaError.self) { _ = try NamePattern(String(repeating: "(", count: 1000)) }
    #expect(throws: LacunaError.self) { _ = try matches(".*", String(repeating: "a", count: 1_000_000)) }
  }
}
