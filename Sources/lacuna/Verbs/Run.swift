import ArgumentParser
import LacunaEngine
import LacunaScript

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a Lua script.",
    discussion: """
        lacuna run examples/01-generate.lua
        lacuna run probe.lua --model smollm2 --seed 7 -- --verbose forget.jsonl
        lacuna run --sandbox --call-ms 1000 --memory-mb 16 stranger.lua

      The script gets the library with `local lacuna = require "lacuna"`, the model of --model with lacuna.model(), and \
      what follows "--" in the global table `arg`. An error prints the message, the script's line and a traceback, and \
      ends with 1; Ctrl-C stops between two tokens and ends with 130. A script that exceeds a limit of --sandbox is \
      ended, which is said on standard error, with 2.
      """)

  @Argument(help: "A Lua 5.4 file; \"-\" reads standard input.")
  var script: String

  @OptionGroup var model: ModelOptions

  @OptionGroup(title: "Sandbox") var sandbox: SandboxOptions

  @Option(help: ArgumentHelp("The same seed gives the same text.", valueName: "n"))
  var seed: UInt64 = 0

  @Argument(parsing: .postTerminator, help: "Words for the script.")
  var arguments: [String] = []

  func run() throws {
    let file = try LuaHost.Script(path: script)
    var environment = ScriptSupport.environment(model, seed: seed)
    environment.sandbox = sandbox.policy(name: script)
    let host = LuaHost(environment)
    ScriptSupport.onInterrupt { host.cancel() }
    do {
      try host.run(file, arguments: arguments)
    } catch {
      if Interrupt.isRequested { throw LacunaError(.cancelled, "interrupted") }
      ScriptSupport.report(error)
      throw error.code == "limit" ? ExitCode(2) : ExitCode.failure
    }
  }
}
