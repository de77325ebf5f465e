import ArgumentParser
import LacunaEngine
import LacunaScript

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The command: every verb is a file in `Verbs/`.
struct Lacuna: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "lacuna",
    abstract: "A scriptable runtime for Llama-family models, in FP8, on the CPU.",
    discussion: """
      Start with the models that come with it:

        lacuna chat                                   talk to the demo model
        lacuna generate --chat --prompt "Who are you?"
        lacuna run examples/02-custom-sampler.lua     a script drives the decoding

      `lacuna models` lists what --model knows; `lacuna help VERB` explains a verb.
      """,
    version: version,
    groupedSubcommands: [
      CommandGroup(name: "Generate", subcommands: [Run.self, Repl.self, Generate.self, Chat.self, ReplayVerb.self]),
      CommandGroup(
        name: "Measure", subcommands: [Score.self, Logits.self, Tokenize.self, Detokenize.self, Bench.self]),
      CommandGroup(name: "Evaluate", subcommands: [Eval.self, Report.self, Diff.self, Merge.self, DataVerb.self]),
      CommandGroup(name: "Extend", subcommands: [Plugin.self, Test.self]),
      CommandGroup(name: "Models", subcommands: [Models.self, Pull.self, Inspect.self, Convert.self]),
      CommandGroup(name: "Help", subcommands: [DocVerb.self, Doctor.self]),
    ])
}

@main
enum Main {
  static func main() {
    Interrupt.installDefaults()
    BusErrorExit.install()
    do {
      let words = Array(CommandLine.arguments.dropFirst())
      if PluginPipeline.accepts(words) {
        try PluginPipeline.main(words)
      } else {
        var command = try Lacuna.parseAsRoot(words)
        try command.run()
      }
    } catch let error as LacunaError {
      if error.code == .cancelled, Interrupt.isRequested { exit(Interrupt.exitStatus) }
      printToStandardError("lacuna: \(error.message)")
      exit(1)
    } catch let error as ScriptError {
      ScriptSupport.report(error)
      exit(1)
    } catch {
      Lacuna.exit(withError: error)
    }
    if Interrupt.isRequested { exit(Interrupt.exitStatus) }
  }
}
