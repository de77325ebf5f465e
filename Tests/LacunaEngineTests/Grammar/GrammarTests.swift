import LacunaEngine
import Testing

@Suite struct GrammarTests {
  struct Language: CustomTestStringConvertible, Sendable {
    let source: String
    let accepted: [String]
    let refused: [String]
    var testDescription: String { source }
    init(_ source: String, _ accepted: [String], not refused: [String]) {
      (self.source, self.accepted, self.refused) = (source, accepted, refused)
    }
  }

  private func check(_ grammar: Grammar, _ language: Language) throws {
    for text in language.accepted {
      #expect(try grammar.accepts(text), "\(text)")
      for length in 0...text.unicodeScalars.count {
        let prefix = String(String.UnicodeScalarView(text.unicodeScalars.prefix(length)))
        #expect(try grammar.acceptsPrefix(prefix), "\(prefix)")
      }
    }
    for text in language.refused { #expect(try !grammar.accepts(text), "\(text)") }
  }

  @Test(
    "regular expressions match what they say",
    arguments: [
      Language("a|bc", ["a", "bc"], not: ["", "b", "abc"]),
      Language("(ab)*", ["", "ab", "abab"], not: ["a", "aba"]),
      Language("x+?y?", ["x", "xxxy"], not: ["y", ""]),
      Language("a{2,4}", ["aa", "aaa", "aaaa"], not: ["a", "aaaaa"]),
      Language("(a|b{2}){3}", ["aaa", "abba", "bbbbbb"], not: ["aa", "abab", "bbb"]),
      Language("(a?){3}b", ["b", "aab", "aaab"], not: ["aaaab"]),
      Language("[a-c\\d]-[^x-z]", ["a--", "7-q", "b-\u{1F999}"], not: ["d-a", "a-y"]),
      Language("\\w+@\\w+\\.(com|org)", ["me@here.org"], not: ["@here.org", "me@here.net"]),
      Language("^é.$", ["éx", "éж", "é\u{1F999}"], not: ["é", "e\u{301}x", "é\n"]),
      Language("\\u00e9\\x41\\u{1F999}\\.", ["éA\u{1F999}."], not: ["éA\u{1F999}x"]),
      Language("(?:a|(?<n>b))[\\]-]?", ["a", "b-", "a]"], not: ["c"]),
    ])
  func regularExpressions(_ language: Language) throws {
    try check(try Grammar(regex: language.source), language)
  }

  @Test(
    "GBNF reads rules over several lines",
    arguments: [
      Language(
        """
        # sums
        root ::= term (("+" | "-") term)*
        term ::= number
          | "(" root ")"
        number ::= [0-9]{1,3}
        """, ["1", "12+(3-456)", "((7))"], not: ["", "1+", "1234", "(1"]),
      Language(
        "root ::= \"say \\\"\" . \"\\\"\\n\" item?\nitem ::= [^\\n\\]]+", ["say \"é\"\n", "say \"x\"\nabc"],
        not: ["say \"\"\n", "say \"x\"\n]"]),
      Language("root ::= \"a\" root | \"b\"", ["b", "aaab"], not: ["aa"]),
      Language("root ::= \"(\" root \")\" | \"\"", ["", "(())"], not: ["(()", "())"]),
    ])
  func gbnf(_ language: Language) throws { try check(try Grammar(gbnf: language.source), language) }

  @Test("lists that recurse at their end need no stack", .timeLimit(.minutes(1)))
  func longTexts() throws {
    let grammar = try Grammar(gbnf: "root ::= [a-z] root | \".\"")
    #expect(try grammar.accepts(String(repeating: "q", count: 100_000) + "."))
  }

  @Test("a chain of rules takes no longer than its length", .timeLimit(.minutes(1)))
  func chains() throws {
    let count = 40_000
    let rules = (1...count).map { "r\($0) ::= r\($0 + 1)" } + ["r\(count + 1) ::= \"x\"?"]
    let grammar = try Grammar(gbnf: "root ::= r1\n" + rules.joined(separator: "\n"))
    #expect(try grammar.accepts("") && grammar.accepts("x"))
  }

  @Test(
    "what cannot be a grammar is refused with its place",
    arguments: [
      ("root ::= root \"a\"", "begins with itself"), ("root ::= a?\na ::= b\nb ::= \"x\"? root", "begins with itself"),
      ("root ::= missing", "'missing'"), ("root ::= \"a", "line 1, column"), ("a ::= \"x\"", "'root'"),
      ("root ::= \"a\"{3,1}", "at least 3"), ("root ::= [z-a]", "low to high"), ("root = \"a\"", "'::='"),
      ("root ::= \"a\"\nroot ::= \"b\"", "twice"), ("root ::= (\"a\"", "')'"), ("root ::= \"\\q\"", "escape"),
      ("root ::= " + String(repeating: "(", count: 5000), "nested"),
      ("root ::= \"a\"" + String(repeating: "?", count: 101), "at most 100 repetitions"),
    ])
  func refusedGBNF(_ source: String, _ part: String) throws {
    let error = #expect(throws: LacunaError.self) { try Grammar(gbnf: source) }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test(
    "unsupported expressions are refused by name",
    arguments: [
      ("(?=a)", "look-around"), ("a\\b", "boundaries"), ("(a)\\1", "back-references"), ("\\pL", "properties"),
      ("a**", "quantifier"), ("a{2}{3}", "quantifier"), ("{2}", "repeat"), ("*a", "repeat"), ("(a", "')'"),
      ("[a", "']'"), ("a)", "the end"), ("a^b", "ends"),
    ])
  func refusedExpressions(_ source: String, _ part: String) throws {
    let error = #expect(throws: LacunaError.self) { try Grammar(regex: source) }
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test("character classes are the UTF-8 of just their scalars")
  func utf8() throws {
    let edges: [UInt32] = [0x61, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0x10FFFF]
    for (i, low) in edges.enumerated() {
      for high in edges[i...] {
        let grammar = try Grammar(regex: "[\\u{\(String(low, radix: 16))}-\\u{\(String(high, radix: 16))}]")
        for edge in edges {
          for value in [edge - 1, edge, min(edge + 1, 0x10FFFF)] {
            guard let scalar = UnicodeScalar(value) else { continue }
            #expect(try grammar.accepts(String(scalar)) == (low...high).contains(value))
          }
        }
      }
    }
  }
}
