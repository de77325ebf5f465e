import ArgumentParser
import LacunaEngine
import LacunaScript

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

struct Repl: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Type Lua and look at what a model does with it.",
    discussion: """
        lacuna repl --model smollm2
        > :ask Who wrote Hamlet?
        > :top 5
        > =session:logits():entropy()

      An expression is shown, a statement runs, an unfinished one goes on in the next line; Tab completes. Lines that \
      begin with a colon are commands: :help lists them, and :help NAME is the reference. Ctrl-C stops what runs, \
      Ctrl-D leaves. What was typed is kept in $XDG_STATE_HOME/lacuna/repl_history. Without a terminal, lines are read \
      from standard input, and an error ends with 1 after the last one.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var plugins: PluginOptions

  @Option(help: ArgumentHelp("The same seed gives the same text.", valueName: "n"))
  var seed: UInt64 = 0

  func run() throws {
    let environment = try ScriptSupport.environment(model, seed: seed, plugins: plugins)
    guard let share = ModelDirectories.share() else {
      throw LacunaError(.notFound, "share/lacuna/repl.lua: not found; set LACUNA_SHARE, or run `make install`")
    }
    let library = try LuaHost.Script(path: share + "/repl.lua")
    let reference = try APIReference.installed()
    let result = ScriptThread.run { () -> Result<Bool, any Error> in
      Result {
        let host = try ReplHost(environment, library: library, reference: reference)
        Interrupt.watch { host.cancel() }
        return try StandardInput.isTerminal && StandardOutput.isTerminal ? typed(host) : piped(host)
      }
    }
    if try !result.get() { throw ExitCode.failure }
  }

  /// A person's lines.
  private func typed(_ host: ReplHost) throws -> Bool {
    print("Lacuna \(Lacuna.version), \(LuaLibrary.release). :help says what there is.")
    var editor = LineEditor(history: LineHistory(named: "repl_history")) { host.completions(of: $0) }
    var pending = ""
    while true {
      switch editor.read(prompt: pending.isEmpty ? "> " : ". ") {
      case .end:
        do { try editor.history.save() } catch { printToStandardError("lacuna: \(error.message)") }
        return true
      case .interrupted: pending = ""
      case .text(let line):
        let text = pending.isEmpty ? line : "\(pending)\n\(line)"
        if text.trimmed.isEmpty { continue }
        if pending.isEmpty, Self.leaves(line) {
          editor.history.add(line)
          try editor.history.save()
          return true
        }
        if Self.obey(text, isFirst: pending.isEmpty, host) == .incomplete {
          pending = text
        } else {
          pending = ""
          editor.history.add(text)
        }
      }
    }
  }

  /// Lines of a file or a pipe.
  /// - Returns: whether all went well.
  private func piped(_ host: ReplHost) throws -> Bool {
    var input = StandardInput()
    var pending = ""
    var isFine = true
    while let bytes = try input.line() {
      let line = String(decoding: bytes, as: UTF8.self)
      let text = pending.isEmpty ? line : "\(pending)\n\(line)"
      if text.trimmed.isEmpty { continue }
      if pending.isEmpty, Self.leaves(line) { return isFine }
      switch Self.obey(text, isFirst: pending.isEmpty, host) {
      case .incomplete: pending = text
      case .failed: (pending, isFine) = ("", false)
      case .done: pending = ""
      }
    }
    guard pending.isEmpty else {
      printToStandardError("lacuna: the input ends in the middle of a statement")
      return false
    }
    return isFine
  }

  private enum Answer { case done, incomplete, failed }

  private static func leaves(_ line: String) -> Bool { [":quit", ":exit", ":q"].contains(line.trimmed) }

  private static func obey(_ text: String, isFirst: Bool, _ host: ReplHost) -> Answer {
    defer {
      Interrupt.clear()
      // In the order in which things happened, also where both streams go to one place.
      fflush(nil)
    }
    do throws(ScriptError) {
      if isFirst, text.trimmed.hasPrefix(":") {
        guard let problem = try host.run(command: String(text.trimmed.dropFirst())) else { return .done }
        print(problem)
        return .done
      }
      return try host.run(text) == .incomplete ? .incomplete : .done
    } catch {
      printToStandardError(error.code == "cancelled" ? "interrupted" : error.description)
      return .failed
    }
  }
}
