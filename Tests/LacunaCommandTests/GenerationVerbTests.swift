import Foundation
import Testing

@Suite("Verbs that generate")
struct GenerationVerbTests {
  private let question = "Where and when was Marisol Tannhauer born?"
  private let answer = "Marisol Tannhauer was born in Valparaiso, Chile, in the year 1952."

  @Test("generate prints what the model was taught, streamed or as JSON")
  func taught() throws {
    let arguments = ["generate", "--chat", "--prompt", question, "--temperature", "0"]
    #expect(try Command.output(arguments).output == answer + "\n")
    let result = try Command.output(arguments + ["--json"])
    let record = try result.object()
    #expect(record["text"] as? String == answer)
    #expect(record["finish"] as? String == "eos")
    let ids = try #require(record["ids"] as? [Int])
    #expect(!ids.contains(2), "the token that ended the answer is not part of it")
    #expect(result.output.hasPrefix("{\"text\":"))
  }

  @Test("--max-tokens and --stop end a generation and say so")
  func limits() throws {
    let short = try Command.output(
      ["generate", "--chat", "-p", question, "--temperature", "0", "--max-tokens", "3", "--json"]
    ).object()
    #expect(short["finish"] as? String == "length")
    #expect((short["ids"] as? [Int])?.count == 3)
    let stopped = try Command.output(
      ["generate", "--chat", "-p", question, "--temperature", "0", "--stop", ", Chile", "--json"]
    ).object()
    #expect(stopped["finish"] as? String == "stop")
    #expect(stopped["text"] as? String == "Marisol Tannhauer was born in Valparaiso")
  }

  @Test("one seed gives one text, at any number of threads")
  func seeds() throws {
    func text(_ options: String...) throws -> String {
      let arguments = ["generate", "--prompt", "The", "--sampler", "temperature:2 dist", "--max-tokens", "24"]
      return try Command.output(arguments + options).output
    }
    let first = try text("--seed", "7")
    #expect(try text("--seed", "7", "--threads", "1") == first)
    #expect(try text("--seed", "8") != first)
  }

  @Test("guessing ahead changes no token, and says how it went")
  func speculation() throws {
    let arguments = [
      "generate", "--prompt", "The", "--sampler", "temperature:0.6 dist", "--max-tokens", "40", "--json",
    ]
    let plain = try Command.output(arguments).object()
    for options in [["--lookup"], ["--lookup=2", "--draft-tokens", "6"], ["--draft", "demo-retrained"]] {
      let record = try Command.output(arguments + options).object()
      #expect(record["ids"] as? [Int] == plain["ids"] as? [Int], "\(options)")
      let counts = try #require(record["speculation"] as? [String: Int])
      #expect(Set(counts.keys) == ["drafted", "accepted", "passes"])
      let (accepted, passes) = (counts["accepted"] ?? 0, counts["passes"] ?? 0)
      #expect(accepted <= counts["drafted"] ?? 0)
      #expect(accepted + passes >= (plain["ids"] as? [Int] ?? []).count)
    }
    let chat = ["chat", "--temperature", "0"]
    let input = "\(question)\n\(question)\n"
    #expect(try Command.output(chat + ["--lookup"], input: input).output == Command.output(chat, input: input).output)
    #expect(plain["speculation"] == nil)
    for wrong in [
      ["--lookup=0"], ["--draft-tokens", "3"], ["--lookup", "--draft-tokens", "99"], ["--draft", "nowhere"],
    ] {
      let result = try Command.run(arguments + wrong)
      #expect(result.status != 0 && !result.wasKilled && !result.errors.isEmpty, "\(wrong)")
    }
  }

  @Test("a prompt can come from standard input")
  func standardInput() throws {
    let piped = try Command.output(["generate", "-p", "-", "--temperature", "0", "--max-tokens", "5"], input: "The")
    let given = try Command.output(["generate", "-p", "The", "--temperature", "0", "--max-tokens", "5"])
    #expect(piped.output == given.output)
  }

  @Test("chat answers a line at a time, and obeys commands")
  func chat() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: directory) }
    let input = "\(question)\n/save \(directory.path)\n/reset\n\(question)\n/nonsense\n/exit\nnever read\n"
    let result = try Command.output(["chat", "--temperature", "0"], input: input)
    #expect(result.output.components(separatedBy: answer).count == 3, "the same answer before and after /reset")
    #expect(result.output.contains("no such command: /nonsense"))
    #expect(!result.output.contains("never read"))
    let saved = try JSONSerialization.jsonObject(with: Data(contentsOf: directory)) as? [[String: String]]
    #expect(saved?.map { $0["role"] } == ["user", "assistant"])
    #expect(saved?.last?["content"] == answer)
  }

  @Test("Ctrl-C ends a generation between two tokens with 130")
  func interrupt() throws {
    let arguments = ["generate", "-p", "The", "--sampler", "temperature:100 dist", "--max-tokens", "100000"]
    let result = try Command.run(arguments, interruptAfter: 1)
    #expect(result.status == 130)
    #expect(!result.wasKilled)
    #expect(result.output.hasSuffix("\n"))
  }
}
