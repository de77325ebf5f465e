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

      A name that is no file is a plugin's pipeline, whose inputs become flags; the name comes first:

        lacuna run ask --question "Who wrote Hamlet?" --model smollm2
        lacuna run ask --help
      """)

  @Argument(help: "A Lua 5.4 file; \"-\" reads standard input.")
  var script: String

  @OptionGroup var model: ModelOptions
  @OptionGroup var plugins: PluginOptions

  @OptionGroup(title: "Sandbox") var sandbox: SandboxOptions

  @Option(help: ArgumentHelp("The same seed gives the same text.", valueName: "n"))
  var seed: UInt64 = 0

  @OptionGroup var tracing: TraceOptions

  @Argument(parsing: .postTerminator, help: "Words for the script.")
  var arguments: [String] = []

  func run() throws {
    let file = try LuaHost.Script(path: script)
    var environment = try ScriptSupport.environment(model, seed: seed, plugins: plugins)
    environment.sandbox = sandbox.policy(name: script)
    tracing.apply(to: &environment)
    do {
      try ScriptSupport.run(file, arguments, environment: environment)
    } catch let error as ScriptError where error.code == "limit" && environment.sandbox != nil {
      ScriptSupport.report(error)
      throw ExitCode(2)
    }
  }
}
