import Foundation
import LacunaTestSupport
import Testing

#if os(Linux)
  @Suite("Idle")
  struct IdleTests {
    /// Nanoseconds that the threads of a process have run so far.
    private static func processorTime(_ process: Int32) throws -> UInt64 {
      let folder = "/proc/\(process)/task"
      return try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) { sum, thread in
        let line = try String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)
        return sum + (try #require(line.split(separator: " ").first.flatMap { UInt64($0) }))
      }
    }

    private static let script = """
      local model, question = require("lacuna").model(), io.read()
      print(model:session { text = question }:generate { max_tokens = 4 }.text)
      io.stdout:flush()
      io.read()
      """

    /// Of the process alone, so that it does not matter what else runs. A thread that spins, or that looks every
    /// millisecond, never has such a rest, however long one waits.
    @Test(
      "a loaded model that has answered and waits for the next question uses no processor time",
      arguments: [["chat", "--temperature", "0"], ["run", "SCRIPT"]])
    func idle(arguments: [String]) throws {
      let directory = try TemporaryDirectory()
      defer { withExtendedLifetime(directory) {} }
      let script = try directory.write(Self.script, to: "wait.lua")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: try #require(Command.path))
      process.arguments = arguments.map { $0 == "SCRIPT" ? script : $0 } + ["--threads", "4"]
      process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
      let (input, output) = (Pipe(), Pipe())
      process.standardInput = input
      process.standardOutput = output
      try process.run()
      defer {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
      }
      try input.fileHandleForWriting.write(contentsOf: Data("Where and when was Marisol Tannhauer born?\n".utf8))
      var answer = Data()
      while !answer.contains(UInt8(ascii: "\n")) {
        let chunk = output.fileHandleForReading.availableData
        try #require(!chunk.isEmpty, "chat ended")
        answer += chunk
      }

      var least = UInt64.max
      for _ in 0..<20 where least > 1_000_000 {
        let before = try Self.processorTime(process.processIdentifier)
        Thread.sleep(forTimeInterval: 0.3)
        least = min(least, try Self.processorTime(process.processIdentifier) - before)
      }
      #expect(least <= 1_000_000, "\(least) ns of 300 ms")
    }
  }
#endif
