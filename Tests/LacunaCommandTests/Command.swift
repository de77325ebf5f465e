import Foundation
import Testing

/// The built command, run as a process of its own.
struct Command {
  struct Result {
    let status: Int32
    /// Whether a signal ended it: always a defect.
    let wasKilled: Bool
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as one JSON object.
    func object() throws -> [String: Any] {
      try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }

    /// Each line of standard output as a JSON object.
    func objects() throws -> [[String: Any]] {
      try lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }
  }

  /// The checkout that these tests were built in.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// `$LACUNA_BINARY`, else beside the test bundle, else in the build folder.
  static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    var candidates = [environment["LACUNA_BINARY"]].compactMap { $0 }
    for program in ["/proc/self/exe", CommandLine.arguments.first ?? ""] {
      let resolved = URL(fileURLWithPath: program).resolvingSymlinksInPath()
      candidates.append(resolved.deletingLastPathComponent().appendingPathComponent("lacuna").path)
      // A bundle of macOS: lacunaPackageTests.xctest/Contents/MacOS/lacunaPackageTests.
      let bundle = resolved.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      candidates.append(bundle.deletingLastPathComponent().appendingPathComponent("lacuna").path)
    }
    candidates += ["release", "debug"].map { "\(root)/.build/\($0)/lacuna" }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// Runs `lacuna` in the checkout, or in another directory. It gets a minute, then it is killed.
  /// - Parameter interruptAfter: sends Ctrl-C once this much text has come.
  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:], directory: String = root,
    interruptAfter: Int? = nil
  ) throws -> Result {
    let program = try #require(path, "no lacuna command: run `swift build` first")
    return try start(program, arguments, input, environment, directory, interruptAfter)
  }

  /// Runs a line of shell; standard error is part of the output, in its place.
  static func shell(
    _ line: String, input: String, environment: [String: String], directory: String
  ) throws -> Result {
    try start("/bin/sh", ["-c", "exec 2>&1\n\(line)"], input, environment, directory, nil)
  }

  private static func start(
    _ program: String, _ arguments: [String], _ input: String, _ environment: [String: String], _ directory: String,
    _ interruptAfter: Int?
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = output
    process.standardError = errors
    try process.run()

    // A timer keeps what it holds until its time, cancelled or not: not the process, whose pipes would stay open.
    let killer = DispatchWorkItem { [pid = process.processIdentifier] in kill(pid, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: killer)
    DispatchQueue.global().async {
      // A command that ends early closes the pipe; that is its right.
      try? standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
      try? standardInput.fileHandleForWriting.close()
    }
    let errorText = Collector(errors.fileHandleForReading)
    var collected = Data()
    var interrupted = false
    while case let chunk = output.fileHandleForReading.availableData, !chunk.isEmpty {
      collected += chunk
      if let interruptAfter, !interrupted, collected.count >= interruptAfter {
        interrupted = true
        kill(process.processIdentifier, SIGINT)
      }
    }
    let errorData = errorText.wait()
    process.waitUntilExit()
    killer.cancel()
    return Result(
      status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
      output: String(decoding: collected, as: UTF8.self), errors: String(decoding: errorData, as: UTF8.self))
  }

  /// Runs a command that must succeed.
  static func output(_ arguments: [String], input: String = "") throws -> Result {
    let result = try run(arguments, input: input)
    try #require(result.status == 0 && !result.wasKilled, "\(arguments): status \(result.status), \(result.errors)")
    return result
  }

  /// Reads a pipe to its end on another thread, so that a full one cannot stop the command.
  private final class Collector: @unchecked Sendable {
    // SAFETY: `data` is written before the semaphore is signalled and read after it was waited for.
    private var data = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ handle: FileHandle) {
      Thread.detachNewThread { [self] in
        data = handle.readDataToEndOfFile()
        done.signal()
      }
    }

    func wait() -> Data {
      done.wait()
      return data
    }
  }
}
