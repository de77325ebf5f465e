import ArgumentParser
import LacunaScript

/// `--sandbox` and the limits that go with it.
struct SandboxOptions: ParsableArguments {
  @Flag(help: "Run the script as plugins are run: no files, no processes, and within the limits below.")
  var sandbox = false

  @Option(
    name: .customLong("call-ms"),
    help: ArgumentHelp("With --sandbox: time for the whole script (default: 600000).", valueName: "n"))
  var callMilliseconds: Int?

  @Option(
    name: .customLong("step-ms"),
    help: ArgumentHelp("With --sandbox: processor time of one callback (default: 1000).", valueName: "n"))
  var stepMilliseconds: Int?

  @Option(
    name: .customLong("memory-mb"),
    help: ArgumentHelp("With --sandbox: memory of Lua and its vectors (default: 64).", valueName: "n")
  )
  var memoryMegabytes: Int?

  @Option(help: ArgumentHelp("With --sandbox: tokens that a model may evaluate (default: any number).", valueName: "n"))
  var tokens: Int?

  @Option(
    name: .customLong("kv-mb"),
    help: ArgumentHelp("With --sandbox: memory of sessions (default: 2048).", valueName: "n"))
  var kvMegabytes: Int?

  @Option(
    help: ArgumentHelp(
      "With --sandbox: a capability, such as fs.read:data; repeatable. Without any the script may use models.",
      valueName: "capability"))
  var grant: [String] = []

  func validate() throws {
    let limits: [(String, Int?)] = [
      ("--call-ms", callMilliseconds), ("--step-ms", stepMilliseconds), ("--memory-mb", memoryMegabytes),
      ("--tokens", tokens), ("--kv-mb", kvMegabytes),
    ]
    for case (let name, let value?) in limits {
      guard sandbox else { throw ValidationError("\(name) goes with --sandbox") }
      guard (1...1_000_000_000).contains(value) else {
        throw ValidationError("\(name): expected 1 to 1000000000, found \(value)")
      }
    }
    if let memoryMegabytes, memoryMegabytes > 1 << 16 {
      throw ValidationError("--memory-mb: expected 1 to 65536, found \(memoryMegabytes)")
    }
    if !grant.isEmpty, !sandbox { throw ValidationError("--grant goes with --sandbox") }
    for text in grant where Capability(text) == nil {
      let known = Capability.plain.map(\.description) + ["fs.read:FOLDER", "fs.write:FOLDER", "env:NAME"]
      throw ValidationError("--grant: expected one of \(known.joined(separator: ", ")), found \(text)")
    }
  }

  /// Nil without `--sandbox`.
  func policy(name: String) -> SandboxPolicy? {
    guard sandbox else { return nil }
    var policy = SandboxPolicy(name: name)
    policy.grantPlace = .commandLine
    policy.capabilities = grant.isEmpty ? Capability.model : Set(grant.compactMap { Capability($0) })
    policy.callMilliseconds = callMilliseconds ?? policy.callMilliseconds
    policy.stepMilliseconds = stepMilliseconds ?? policy.stepMilliseconds
    policy.memoryBytes = memoryMegabytes.map { $0 << 20 } ?? policy.memoryBytes
    policy.tokens = tokens
    policy.kvBytes = kvMegabytes.map { $0 << 20 } ?? policy.kvBytes
    return policy
  }
}
