internal import CLuaBridge
internal import LacunaEngine
internal import Synchronization

/// A Lua state that lives from line to line. Used from the thread that made it, but for `cancel`.
public final class ReplHost: @unchecked Sendable {
  // SAFETY: `cancel` touches `running` and the state's interrupt flag alone, under the mutex; everything else belongs to
  // one thread.

  public enum Outcome: Sendable {
    case done
    /// More lines are needed.
    case incomplete
  }

  private let runtime: ScriptRuntime
  private let reference: APIReference
  private let runner: LuaReference
  private let completer: LuaReference
  private let command: LuaReference
  private let commandHelp: String
  private let running = Mutex<Bool>(false)

  /// - Parameter library: share/lacuna/repl.lua.
  /// - Throws: `ScriptError`, also where there is no model.
  public init(
    _ environment: ScriptEnvironment, library: LuaHost.Script, reference: APIReference
  ) throws(ScriptError) {
    self.reference = reference
    runtime = try ScriptRuntime(environment)
    do {
      let chunk = try runtime.load(library)
      let parts = try runtime.state.call(chunk, [Self.knowledge(reference)]).first ?? .nil
      guard case .table(let table) = parts, case .function(let run) = table["run"],
        case .function(let complete) = table["complete"], case .function(let command) = table["command"],
        case .string(let help) = table["help"]
      else {
        throw ScriptError(code: "malformed", message: "\(library.chunkName.dropFirst()): expected a REPL's functions")
      }
      runner = run
      completer = complete
      self.command = command
      commandHelp = help
      // Its own folder was the library's: what a person requires is found beside them.
      try runtime.state.setSearchFolder(".")
    } catch {
      throw ScriptError(any: error)
    }
  }

  /// What completion goes by.
  private static func knowledge(_ reference: APIReference) -> LuaValue {
    func names(_ list: [String]) -> LuaValue { .list(list.map { .string($0) }) }
    var members = LuaTable()
    for type in reference.files.flatMap(\.classes) where type.isHandle {
      let methods = reference.files.flatMap(\.functions).filter { $0.owner == type.name }.map(\.name)
      let fields = type.fields.map(\.name).filter { !$0.hasPrefix("[") }
      members.fields.append(
        (.string(type.name.lowercased()), .record(["methods": names(methods), "fields": names(fields)])))
    }
    return .record([
      "members": .table(members), "stages": names(SamplerChain.catalogue.map(\.name)),
      "topics": names(reference.names),
    ])
  }

  /// Runs a chunk: an expression's values are shown.
  /// - Throws: `ScriptError` for what it raised; code "cancelled" after `cancel`.
  public func run(_ text: String) throws(ScriptError) -> Outcome {
    let text = text.hasPrefix("=") ? String(text.dropFirst()) : text
    return try guarded { () throws -> Outcome in
      guard let chunk = try load(text) else { return .incomplete }
      try runtime.state.call(runner, [.reference(chunk)], wantsResults: false)
      return .done
    }
  }

  /// As an expression first: a call is both, and its values are wanted.
  /// - Returns: nil where the text is the beginning of either.
  private func load(_ text: String) throws -> LuaReference? {
    var isIncomplete = false
    var failure: any Error = LuaState.noMemory
    for text in ["return \(text)", text] {
      do {
        return try runtime.state.load(Array(text.utf8), name: "=repl")
      } catch {
        failure = error
        if let failure = error as? LuaFailure, failure.error.message.hasSuffix("<eof>") { isIncomplete = true }
      }
    }
    if isIncomplete { return nil }
    throw failure
  }

  /// Runs a ":" command.
  /// - Returns: what is wrong with its name; nil where it ran.
  public func run(command line: String) throws(ScriptError) -> String? {
    let words = line.split(separator: " ", maxSplits: 1).map(\.trimmed)
    let (name, argument) = (words.first ?? "", words.count > 1 ? words[1] : "")
    if name == "help" { return argument.isEmpty ? commandHelp : help(argument) }
    let answer = try guarded { try runtime.state.call(command, [.string(name), .string(argument)]).first ?? .nil }
    let isKnown = if case .bool(true) = answer { true } else { false }
    return isKnown ? nil : "no such command: \(name)\n\(commandHelp)"
  }

  private func help(_ word: String) -> String {
    let found = reference.help(word)
    guard found.isEmpty else { return found.joined(separator: "\n\n") }
    let mentions = reference.mentions(of: word)
    return mentions.isEmpty
      ? "\(word): not in the reference\(reference.hint(word))" : mentions.joined(separator: "\n")
  }

  /// What the text before the cursor may go on with.
  /// - Returns: whole names, and how many of the text's last bytes they replace.
  public func completions(of text: String) -> (names: [String], replaced: Int) {
    guard let values = try? runtime.state.call(completer, [.string(text)]), values.count == 2,
      case .table(let names) = values[0], case .integer(let count) = values[1]
    else { return ([], 0) }
    return (names.array.compactMap { if case .string(let name) = $0 { name } else { nil } }, Int(count))
  }

  /// Stops what runs, from any thread; nothing where nothing runs.
  public func cancel() {
    running.withLock { if $0 { runtime.state.interrupt() } }
  }

  private func guarded<Value>(_ body: () throws -> Value) throws(ScriptError) -> Value {
    running.withLock { $0 = true }
    defer {
      running.withLock { running in
        running = false
        lb_resume(runtime.state.raw)
      }
    }
    do { return try body() } catch { throw ScriptError(any: error) }
  }
}
