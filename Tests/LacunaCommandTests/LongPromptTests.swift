import Foundation
import LacunaTestSupport
import Testing

@Suite("Long prompts")
struct LongPromptTests {
  /// Reading the prompt takes this model much longer than any of these tests may.
  private static let model = Result { try SlowCheckpoint() }
  /// One layer of the pass that runs is finished first. The machine may be busy with other tests.
  private static let patience = Duration.seconds(15)

  private static let script = """
    local model = require("lacuna").model()
    model:session { text = "\(SlowCheckpoint.prompt)" }:logits()
    """

  /// Command lines that begin with a long prompt, and their standard input.
  private static func command(_ verb: String, script: String) -> (arguments: [String], input: String) {
    let prompt = SlowCheckpoint.prompt
    return switch verb {
    case "generate": (["generate", "--prompt", prompt], "")
    case "chat": (["chat", "--template", "raw"], prompt + "\n")
    case "score": (["score", "--prompt", prompt, "--answer", "e"], "")
    case "score, lines": (["score", "--json"], #"{"prompt": "\#(prompt)", "answer": "e"}"# + "\n")
    case "logits": (["logits", "--prompt", prompt], "")
    default: (["run", script], "")
    }
  }

  @Test(
    "a terminal shows how far a prompt is read, and Ctrl-C ends the reading with 130",
    arguments: ["generate", "chat", "score", "score, lines", "logits", "run"])
  func interrupt(verb: String) throws {
    let model = try Self.model.get()
    let script = try model.directory.write(Self.script, to: "\(verb).lua")
    let (arguments, input) = Self.command(verb, script: script)
    let terminal = try Terminal()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Command.path))
    process.arguments = arguments + ["--model", model.path] + SlowCheckpoint.options
    process.environment = ProcessInfo.processInfo.environment.merging(SlowCheckpoint.environment) { $1 }
    let standardInput = Pipe()
    process.standardInput = standardInput
    process.standardOutput = FileHandle.nullDevice
    process.standardError = terminal.file
    try process.run()
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    let killer = DispatchWorkItem { [pid = process.processIdentifier] in kill(pid, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: killer)

    var interrupted: ContinuousClock.Instant?
    let shown = terminal.readAll { text in
      guard interrupted == nil, text.contains("reading the prompt") else { return }
      interrupted = .now
      kill(process.processIdentifier, SIGINT)
    }
    process.waitUntilExit()
    killer.cancel()
    let elapsed = ContinuousClock.now - (try #require(interrupted, "no progress was shown, but: \(shown)"))
    #expect(process.terminationStatus == 130)
    #expect(process.terminationReason == .exit)
    #expect(elapsed < Self.patience)
    #expect(shown.hasSuffix("\r\u{1B}[K"), "the line is cleared")
  }

  @Test("a sandbox's time ends a long prompt too, and without a terminal nothing is shown")
  func deadline() throws {
    let model = try Self.model.get()
    let script = try model.directory.write(Self.script, to: "deadline.lua")
    let start = ContinuousClock.now
    let result = try Command.run(
      ["run", "--sandbox", "--call-ms", "1500", script, "--model", model.path] + SlowCheckpoint.options,
      environment: SlowCheckpoint.environment)
    #expect(ContinuousClock.now - start < Self.patience)
    #expect(result.status == 2)
    #expect(!result.wasKilled)
    #expect(result.errors.contains("limit of 1500 ms for a call"))
    #expect(!result.errors.contains("reading the prompt"))
  }
}
