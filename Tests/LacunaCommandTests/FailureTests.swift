import Foundation
import Testing

@Suite("Failures")
struct FailureTests {
  @Test(
    "a command line that cannot be understood ends with 64 and says why",
    arguments: [
      (["generate"], "--prompt"), (["logits"], "--ids"), (["logits", "--ids", "1,x"], "1,x"),
      (["frobnicate"], "frobnicate"), (["generate", "-p", "a", "--threads", "0"], "--threads"),
      (["generate", "-p", "a", "--sampler", "greedy", "--top-k", "4"], "--top-k"),
      (["score", "--prompt", "a"], "--answer"), (["generate", "-p", "a", "--logprobs"], "--json"),
      (["logits", "--ids", "1", "--weights", "int3"], "int3"),
    ])
  func usage(arguments: [String], word: String) throws {
    let result = try Command.run(arguments)
    #expect(result.status == 64)
    #expect(result.errors.contains(word))
    #expect(result.output.isEmpty)
  }

  @Test(
    "what cannot be done ends with 1 and one line that names it",
    arguments: [
      (["generate", "--model", "no-such-model", "-p", "a"], "no-such-model"),
      (["inspect", "./no/such/file"], "./no/such/file"),
      (["logits", "--ids", "1,99999999"], "99999999"),
      (["generate", "-p", "a", "--sampler", "top_q:3 dist"], "top_q"),
      (["pull", "no-such-model"], "no-such-model"),
      (["inspect", "Package.swift"], "Package.swift"),
    ])
  func refusals(arguments: [String], word: String) throws {
    let result = try Command.run(arguments)
    #expect(result.status == 1)
    #expect(!result.wasKilled)
    #expect(result.errors.hasPrefix("lacuna: "))
    #expect(result.errors.contains(word))
    #expect(result.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test("a checkpoint with tensors that are not used runs with a warning")
  func warning() throws {
    let path = NSTemporaryDirectory() + "/lacuna-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    _ = try Command.output(["convert", "demo", path, "--to", "bf16"])
    let config = path + "/config.json"
    let text = try String(contentsOfFile: config, encoding: .utf8)
    try text.replacing("\"num_hidden_layers\": 5", with: "\"num_hidden_layers\": 4")
      .write(toFile: config, atomically: true, encoding: .utf8)
    let result = try Command.run(["logits", "--model", path, "--ids", "1,2"])
    #expect(result.status == 0)
    #expect(result.errors.hasPrefix("lacuna: warning: \(path)/model.safetensors: model.layers.4."), "\(result.errors)")
    #expect(result.errors.filter { $0 == "\n" }.count == 1)
  }

  @Test(
    "a bad JSON line is refused with its number, after the good ones before it",
    arguments: [
      "{\"text\":1}", "{\"text\":\"a\"", "[]", "{\"txet\":\"a\"}", "{\"text\":\"a\",\"text\":\"b\"}", "\u{1}",
    ])
  func jsonLines(line: String) throws {
    let result = try Command.run(["tokenize", "--json"], input: "{\"text\":\"a\"}\n\n\(line)\n")
    #expect(result.status == 1)
    #expect(result.lines.count == 1)
    #expect(result.errors.contains("standard input, line 3"))
  }

  @Test("output that cannot be written is an error")
  func fullDisk() throws {
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\"$0\" tokenize Hello >/dev/full", try #require(Command.path)]
    process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 1)
    #expect(text.contains("standard output"))
  }

  @Test("a reader that goes away ends the command quietly")
  func closedPipe() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "\"$0\" generate -p The --sampler 'temperature:100 dist' --max-tokens 100000 | head -c 1",
      try #require(Command.path),
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test(
    "every verb explains itself",
    arguments: [
      "run", "generate", "chat", "score", "logits", "tokenize", "detokenize", "inspect", "convert", "pull", "models",
      "bench", "doctor", "repl", "replay", "doc", "eval", "report", "diff", "merge", "data", "test", "plugin",
    ])
  func help(verb: String) throws {
    let result = try Command.output(["help", verb])
    #expect(result.output.contains("USAGE: lacuna \(verb)"))
    #expect(result.output.contains("OVERVIEW: "))
    #expect(try Command.output(["--help"]).output.contains("  \(verb) "))
    // An example that is longer than a line would go on at the margin, and could not be copied.
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    for (example, next) in zip(lines, lines.dropFirst()) where example.hasPrefix("  lacuna ") {
      #expect(next.isEmpty || next.hasPrefix("  ") || next.hasPrefix("{"), "\(example)\n\(next)")
    }
  }
}
