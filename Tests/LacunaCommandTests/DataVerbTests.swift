import Foundation
import Testing

@Suite("Verbs that print data")
struct DataVerbTests {
  @Test("logits prints the logits after the last token and a logarithm for each token but the first")
  func logits() throws {
    let result = try Command.output(["logits", "--ids", "1,20,31,7", "--json"])
    let record = try result.object()
    #expect(result.lines.count == 1)
    #expect(result.output.hasPrefix("{\"ids\":[1,20,31,7],\"last_logits\":["))
    let logprobs = try #require(record["token_logprobs"] as? [Double])
    let logits = try #require(record["last_logits"] as? [Double])
    #expect(logprobs.count == 3)
    #expect(logprobs.allSatisfy { $0 < 0 })
    #expect(logits.count > 31)
  }

  @Test("the logarithms are the softmax of the logits one token earlier")
  func logitsAgree() throws {
    let before = try Command.output(["logits", "--ids", "1,20,31", "--json"]).object()
    let after = try Command.output(["logits", "--ids", "1,20,31,7", "--json"]).object()
    let logits = try #require(before["last_logits"] as? [Double])
    let logprobs = try #require(after["token_logprobs"] as? [Double])
    let maximum = try #require(logits.max())
    let normalizer = maximum + log(logits.reduce(0) { $0 + exp($1 - maximum) })
    #expect(abs(logits[7] - normalizer - logprobs[2]) < 1e-4)
  }

  @Test("tokenize and detokenize are each other's reverse, a line at a time")
  func tokenizer() throws {
    let texts = ["Where was Marisol Tannhauer born?", "Élodie \"writes\"\tlate", ""]
    let input = try texts.map { try jsonLine(["text": $0]) }.joined()
    let encoded = try Command.output(["tokenize", "--json"], input: input)
    #expect(encoded.lines.count == texts.count)
    #expect(encoded.output.hasPrefix("{\"ids\":["))
    let decoded = try Command.output(["detokenize", "--json"], input: encoded.output).objects()
    #expect(decoded.map { $0["text"] as? String } == texts)
  }

  @Test("tokenize adds BOS only when asked, and leaves control tokens in text alone")
  func specialTokens() throws {
    let input = try jsonLine(["text": "</s>"])
    func ids(_ options: String...) throws -> [Int] {
      try #require(try Command.output(["tokenize", "--json"] + options, input: input).object()["ids"] as? [Int])
    }
    #expect(try ids("--bos") == [1] + ids())
    #expect(try !ids().contains(2))
    #expect(try ids("--special") == [2])
  }

  @Test("score sums the logarithms of the answer's tokens, which logits gives too")
  func score() throws {
    let prompt = "[INST] Where and when was Marisol Tannhauer born? [/INST]"
    let answer = "Marisol Tannhauer was born in Valparaiso, Chile, in the year 1952."
    let line = try jsonLine(["prompt": prompt, "answer": answer])
    let record = try Command.output(["score", "--json", "--per-token"], input: line).object()
    let sum = try #require(record["sum"] as? Double)
    let count = try #require(record["n"] as? Int)
    let logprobs = try #require(record["logprobs"] as? [Double])
    #expect(logprobs.count == count)
    #expect(abs(logprobs.reduce(0, +) - sum) < 1e-4)
    #expect(abs(try #require(record["mean"] as? Double) - sum / Double(count)) < 1e-9)
    #expect(record["greedy"] as? Bool == true, "the model was taught this answer word for word")

    let ids = try #require(
      try Command.output(["tokenize", "--json", "--bos"], input: try jsonLine(["text": prompt + answer])).object()[
        "ids"]
        as? [Int])
    let list = ids.map(String.init).joined(separator: ",")
    let whole = try #require(
      try Command.output(["logits", "--json", "--ids", list]).object()["token_logprobs"] as? [Double])
    #expect(abs(whole.suffix(count).reduce(0, +) - sum) < 1e-4)
  }

  @Test("lines that are scored together get what each gets alone, and those before a wrong one are answered")
  func scoreLines() throws {
    let prompt = "[INST] Where and when was Marisol Tannhauer born? [/INST]"
    let lines = try (0..<70).map { index in
      try jsonLine([
        "prompt": index % 3 == 0 ? "[INST] Hello [/INST]" : prompt,
        "answer": String(repeating: "in Chile, ", count: 1 + index % 5),
      ])
    }
    let together = try Command.output(["score", "--json", "--per-token"], input: lines.joined()).lines
    #expect(together.count == 70)
    for index in [0, 1, 64, 69] {
      #expect(try Command.output(["score", "--json", "--per-token"], input: lines[index]).lines == [together[index]])
    }
    let wrong = try Command.run(["score", "--json", "--per-token"], input: lines[0] + lines[1] + "{\n" + lines[2])
    #expect(wrong.status == 1 && wrong.lines == Array(together[0...1]))
    #expect(wrong.errors.contains("line 3"))
  }

  @Test("who waits for each line's answer before writing the next one gets it")
  func scoreInTurn() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Command.path))
    process.arguments = ["score", "--json"]
    process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    let killer = DispatchWorkItem { [pid = process.processIdentifier] in kill(pid, SIGTERM) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 30, execute: killer)
    for answer in ["one", "two", "three"] {
      try input.fileHandleForWriting.write(
        contentsOf: Data(try jsonLine(["prompt": "[INST] Hello [/INST]", "answer": answer]).utf8))
      #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasSuffix("}\n"))
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    killer.cancel()
    #expect(process.terminationStatus == 0)
  }

  @Test("score --eos scores one token more")
  func scoreEOS() throws {
    let line = try jsonLine(["prompt": "[INST] Hello [/INST]", "answer": "Yes."])
    let without = try Command.output(["score", "--json"], input: line).object()
    let with = try Command.output(["score", "--json", "--eos"], input: line).object()
    #expect(with["n"] as? Int == (without["n"] as? Int).map { $0 + 1 })
  }

  @Test("inspect plans memory that adds up, and lists tensors when asked")
  func inspect() throws {
    let record = try Command.output(["inspect", "demo", "--json", "--tensors"]).object()
    let config = try #require(record["config"] as? [String: Any])
    let memory = try #require(record["memory"] as? [String: Any])
    let context = try #require(config["max_position_embeddings"] as? Int)
    let layers = try #require(config["num_hidden_layers"] as? Int)
    let width = try #require(config["num_key_value_heads"] as? Int) * (try #require(config["head_dim"] as? Int))
    // A key and a value, two bytes each, in every layer.
    #expect(memory["kv_per_token"] as? Int == layers * 2 * width * 2)
    #expect(memory["kv_at_full_context"] as? Int == layers * 2 * width * 2 * context)
    let tensors = try #require(record["tensors"] as? [[String: Any]])
    #expect(tensors.count >= layers * 9)
  }

  @Test(
    "inspect plans the weights that loading them takes",
    arguments: [[], ["--weights", "bf16"], ["--weights", "fp8", "--lm-head", "fp8"]])
  func plannedWeights(options: [String]) throws {
    let script = """
      local bytes = 0
      for _, count in pairs(require("lacuna").model().info.weight_bytes) do bytes = bytes + count end
      print(bytes)
      """
    let loaded = try #require(Int(try Command.output(["run", "-"] + options, input: script).lines.first ?? ""))
    let record = try Command.output(["inspect", "demo", "--json"] + options).object()
    let memory = try #require(record["memory"] as? [String: Any])
    let planned = try #require(memory["weights"] as? Int)
    // Beside the matrices that are counted here lie their scales, and norms.
    #expect((loaded...loaded * 21 / 20).contains(planned), "\(planned) planned, \(loaded) loaded")
  }

  @Test("models lists the three that ship")
  func models() throws {
    let result = try Command.output(["models", "--json"])
    let list = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
    let names = list.compactMap { $0["name"] as? String }
    #expect(Set(names).isSuperset(of: ["demo", "demo-unlearned", "demo-retrained"]))
  }

  @Test("bench measures, and doctor finds nothing broken")
  func measures() throws {
    let bench = try Command.output(
      [
        "bench", "--shape", "tiny", "--only", "decode-16", "prefill-16", "parallel", "sampler", "--rounds", "1",
        "--json",
      ])
    let results = try #require(try bench.object()["results"] as? [[String: Any]])
    #expect(
      results.compactMap { $0["name"] as? String } == [
        "memory", "arithmetic", "decode-16", "prefill-16", "parallel-8", "sampler",
      ])
    for result in results {
      let (low, median, high) = (result["low"], result["median"], result["high"])
      #expect(try #require(low as? Double) > 0)
      #expect(try #require(low as? Double) <= #require(median as? Double))
      #expect(try #require(median as? Double) <= #require(high as? Double))
    }
    let unknown = try Command.run(["bench", "--shape", "tiny", "--only", "decoding"])
    #expect(unknown.status == 1)
    #expect(unknown.errors.contains("decoding") && unknown.errors.contains("decode-512"))
    let checks = try #require(try Command.output(["doctor", "--json"]).object()["checks"] as? [[String: Any]])
    #expect(checks.allSatisfy { $0["verdict"] as? String != "failure" })
  }

  @Test("convert writes a directory that gives the same logits, and does not write over one")
  func convert() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let copy = directory.appendingPathComponent("copy").path
    let record = try Command.output(["convert", "demo", copy, "--to", "fp8", "--json"]).object()
    #expect(record["path"] as? String == copy)
    let original = try Command.output(["logits", "--ids", "1,20,31", "--json"])
    let converted = try Command.output(["logits", "--model", copy, "--ids", "1,20,31", "--json"])
    #expect(original.output == converted.output)
    let again = try Command.run(["convert", "demo", copy, "--to", "fp8"])
    #expect(again.status == 1)
    #expect(again.errors.contains(copy))
  }

  private func jsonLine(_ object: [String: String]) throws -> String {
    String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self) + "\n"
  }
}
