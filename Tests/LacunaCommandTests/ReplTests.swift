import CTestSupport
import Foundation
import LacunaTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("The REPL")
struct ReplTests {
  private func run(_ lines: String...) throws -> Command.Result {
    try Command.run(["repl"], input: lines.joined(separator: "\n") + "\n")
  }

  @Test("expressions are shown, statements run, and an unfinished one goes on in the next line")
  func lines() throws {
    let result = try run(
      "1 + 1", "x = { 1, 'two', inner = { y = true } }", "x", "=x.inner.y", "for i = 1, 2 do", "print(i)", "end",
      "nil", "'a\\nb'", "lacuna.json.null", "1 +", "2", "(function()", "return 4", "end)()")
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.lines == [
        "2", "{ 1, \"two\", inner = { y = true } }", "true", "1", "2", "nil", "\"a\\nb\"", "null", "3", "4",
      ])
  }

  @Test("vectors, sets, models and sessions say what they are")
  func handles() throws {
    let result = try run(
      "lacuna.vec.of { 0, 2, 1 }", "lacuna.set.new(9, { 3, 5 })", "lacuna.rng(7)", "model",
      "model:session { tokens = { 1 } }",
      "t = {}; t.t = t", "t")
    #expect(result.lines[0].hasPrefix("Vec of 3: max 2 at 1"), "\(result.output)")
    #expect(result.lines[1].hasPrefix("  [1] 2  p 0.66"))
    #expect(result.lines[4] == "Set of 2: 3 5")
    #expect(result.lines[5] == "Rng: seed 7, stream 0, position 0")
    #expect(result.lines[6].hasPrefix("Model demo: "))
    #expect(result.lines[7].hasPrefix("Session of 1 tokens, of "))
    #expect(result.lines[8] == "{ t = <itself> }")
  }

  @Test("an error is told and the next line runs; a pipe with errors ends with 1")
  func errors() throws {
    let result = try run("error 'no cheese'", "nothing.at.all", "x = = 1", ":nonsense", "print 'still here'")
    #expect(result.status == 1)
    #expect(result.errors.contains("repl:1: no cheese"))
    #expect(result.errors.contains("global 'nothing'"))
    #expect(result.errors.contains("unexpected symbol near '='"))
    #expect(result.output.contains("no such command: nonsense"))
    #expect(result.lines.last == "still here")
    #expect(try run("for i = 1, 2 do").errors.contains("in the middle of a statement"))
  }

  @Test("commands ask, list, explain, draw, take back and fork")
  func commands() throws {
    let result = try run(
      ":ask Where and when was Marisol Tannhauer born?", ":top 2", "chain = lacuna.sampler.chain 'top_k:5 greedy'",
      ":explain 1", ":step 3", ":back 2", ":fork other", "=#other == #session", ":step none")
    let lines = result.lines
    #expect(lines[0].hasPrefix("Session of "), "\(result.output)\(result.errors)")
    #expect(lines[1].hasPrefix("  1  ") && lines[2].hasPrefix("  2  "))
    #expect(lines[3].hasPrefix("stage "))
    #expect(lines[4].hasPrefix("input ") && lines[5].hasPrefix("top_k                    5"))
    #expect(lines[6].hasPrefix("greedy                   1"))
    #expect(lines[7].hasPrefix("\"M\" ") && lines[7].contains("> 5"))
    #expect(lines[10].hasPrefix("Session of "))
    #expect(lines[11].hasPrefix("other goes on from token "))
    #expect(lines[12] == "true")
    #expect(result.errors.contains("expected a number from 1, found \"none\""))
  }

  @Test(":help is the reference, and offers what is near")
  func help() throws {
    #expect(try run(":help").output.contains(":explain [N]"))
    #expect(try run(":help Vec:topk").lines.first == "Vec:topk(k)")
    #expect(try run(":help session:apend").output.contains("did you mean \"Session:append\"?"))
  }

  @Test("at a terminal, Tab completes, the history comes back the next time, and Ctrl-C stops a loop")
  func terminal() throws {
    let home = try TemporaryDirectory()
    let environment = ["XDG_STATE_HOME": home.path]
    let first = try CommandAtTerminal(["repl"], environment: environment)
    try first.wait(for: "> ")
    first.type("lacuna.wri\t'ok', 6 * 7, '!')")
    first.type("\u{01}\u{0B}")
    first.type("lacuna.vec.o\t")
    try first.wait(for: "lacuna.vec.of")
    first.type("\u{15}x = 'st' .. 'ate'\r")
    first.type("=mod\t:enc\t'a'\r")
    try first.wait(for: "model:encode")
    first.type("while true do end\r")
    Thread.sleep(forTimeInterval: 0.3)
    first.interrupt()
    try first.wait(for: "interrupted")
    first.type("=x\r")
    try first.wait(for: "\"state\"")
    try first.wait(for: "> ")
    first.type("\u{04}")
    #expect(first.end() == 0)

    let second = try CommandAtTerminal(["repl"], environment: environment)
    try second.wait(for: "> ")
    second.type("\u{1B}[A\u{1B}[A")
    try second.wait(for: "while true do end")
    second.type("\u{15}:quit\r")
    #expect(second.end() == 0)
  }

  @Test("what is typed while a line runs comes after it, Ctrl-D too")
  func typedAhead() throws {
    let home = try TemporaryDirectory()
    let terminal = try CommandAtTerminal(["repl"], environment: ["XDG_STATE_HOME": home.path])
    try terminal.wait(for: "> ")
    terminal.type("do local t = os.clock() print('be'..'gun') while os.clock() < t + 0.5 do end end\r")
    try terminal.wait(for: "begun")
    terminal.type("print('s' .. 'econd')\r\u{04}")
    try terminal.wait(for: "second")
    #expect(terminal.end() == 0)
  }
}

/// The command at a terminal of its own.
private final class CommandAtTerminal {
  private let process = Process()
  private let primary: FileHandle
  private var seen = ""

  init(_ arguments: [String], environment: [String: String]) throws {
    var (descriptor, replica) = (Int32(-1), Int32(-1))
    try #require(ct_open_terminal(&descriptor, &replica) == 0)
    var size = winsize(ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(replica, UInt(TIOCSWINSZ), &size)
    primary = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let end = FileHandle(fileDescriptor: replica, closeOnDealloc: true)
    process.executableURL = URL(fileURLWithPath: try #require(Command.path))
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    (process.standardInput, process.standardOutput, process.standardError) = (end, end, end)
    try process.run()
    try end.close()
  }

  func type(_ text: String) { try? primary.write(contentsOf: Data(text.utf8)) }

  /// As Ctrl-C does while nothing reads keys.
  func interrupt() { kill(process.processIdentifier, SIGINT) }

  /// Reads until the text has come; what was seen before it is forgotten.
  func wait(for text: String) throws {
    let deadline = Date().addingTimeInterval(30)
    while !seen.contains(text) {
      var descriptor = pollfd(fd: primary.fileDescriptor, events: Int16(POLLIN), revents: 0)
      try #require(poll(&descriptor, 1, 500) >= 0)
      if descriptor.revents != 0 {
        let data = primary.availableData
        try #require(!data.isEmpty, "the terminal closed before \"\(text)\" came: \(seen)")
        seen += String(decoding: data, as: UTF8.self)
      }
      try #require(Date() < deadline, "\"\(text)\" did not come: \(seen)")
    }
    if let range = seen.range(of: text) { seen = String(seen[range.upperBound...]) }
  }

  /// The exit status; what does not end in half a minute is killed.
  func end() -> Int32 {
    let killer = DispatchWorkItem { [pid = process.processIdentifier] in kill(pid, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 30, execute: killer)
    process.waitUntilExit()
    killer.cancel()
    return process.terminationStatus
  }
}
