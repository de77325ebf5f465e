import Foundation
import Testing

/// The attack corpus, each script in a process of its own.
@Suite("Sandbox")
struct SandboxTests {
  struct Attack: CustomTestStringConvertible, Sendable {
    let name: String
    let expected: String
    let callMilliseconds: Int
    let memoryMegabytes: Int

    var testDescription: String { name }

    init(_ name: String) throws {
      self.name = name
      let source = try String(contentsOfFile: "\(Self.folder)/\(name)", encoding: .utf8)
      func header(_ key: String) -> String? {
        let prefix = "-- \(key): "
        return source.split(separator: "\n").first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
      }
      expected = try #require(header("expect"), "\(name) does not say how it has to end")
      callMilliseconds = header("call-ms").flatMap { Int($0) } ?? 50
      memoryMegabytes = header("memory-mb").flatMap { Int($0) } ?? 16
    }

    static let folder = "\(Command.root)/Tests/Fixtures/attacks"
    static let all: [Attack] = {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.filter { $0.hasSuffix(".lua") }.sorted().compactMap { try? Attack($0) }
    }()
  }

  @Test("there are as many attacks as files, and more than a hundred")
  func corpus() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Attack.folder).filter { $0.hasSuffix(".lua") }
    #expect(Attack.all.count == files.count)
    #expect(files.count > 100)
  }

  /// The machine may be busy with the other tests: what is judged here is that nothing hangs. The exact overrun is
  /// measured under the sanitizers' driver and shown in docs/limits.md.
  private static let grace = 2.0

  @Test("every attack ends as its header says, in time, with a status from 0 to 125", arguments: Attack.all)
  func attack(_ attack: Attack) throws {
    let start = ContinuousClock.now
    let result = try Command.run([
      "run", "--sandbox", "--call-ms", "\(attack.callMilliseconds)", "--memory-mb", "\(attack.memoryMegabytes)",
      "\(Attack.folder)/\(attack.name)",
    ])
    let elapsed = ContinuousClock.now - start
    #expect(!result.wasKilled)
    #expect(elapsed < .milliseconds(attack.callMilliseconds + 100) + .seconds(Self.grace), "\(elapsed)")
    #expect(result.output.utf8.count <= 64 << 10)
    let words = attack.expected.split(separator: " ", maxSplits: 1).map(String.init)
    switch words[0] {
    case "ok": #expect(result.status == 0, "\(result.errors)")
    case "error":
      #expect(result.status == 1)
      #expect(result.errors.contains(words.count > 1 ? words[1] : "lacuna: "), "\(result.errors.prefix(500))")
    case "limit":
      #expect(result.status == 2)
      let limit = words.last == "memory" ? "memory limit of" : "ms for a call"
      #expect(result.errors.contains(limit), "\(result.errors.prefix(500))")
      #expect(result.errors.contains(attack.name), "the message names the script")
    default: Issue.record("\(attack.name): unknown expectation \(attack.expected)")
    }
  }

  @Test("limits go with --sandbox, and capabilities are known ones")
  func usage() throws {
    let script = "\(Attack.folder)/rep-empty.lua"
    for arguments in [["--call-ms", "5"], ["--sandbox", "--grant", "fs.raed:x"], ["--sandbox", "--memory-mb", "0"]] {
      #expect(try Command.run(["run"] + arguments + [script]).status == 64, "\(arguments)")
    }
  }

  @Test("a sandboxed script runs without any model, and with one where it asks")
  func models() throws {
    func run(_ source: String, _ arguments: String...) throws -> Command.Result {
      try Command.run(["run", "--sandbox"] + arguments + ["-"], input: source)
    }
    #expect(try run("print(1 + 1)", "--model", "/nowhere").output == "2\n")
    let uses =
      "local m = assert(require 'lacuna'.model()); print(#m:session { text = 'a' }:generate { max_tokens = 2 }.tokens)"
    #expect(try run(uses).output == "2\n")
    let denied = try run(uses, "--grant", "model.score")
    #expect(denied.status == 1)
    #expect(denied.errors.contains("--grant model.generate"), "\(denied.errors)")
    let limited = try run(uses, "--tokens", "1")
    #expect(limited.status == 2)
    #expect(limited.errors.contains("token limit of 1"), "\(limited.errors)")
  }
}
