public import LacunaEngine

/// A Lua file that returns a table of hooks, or a plugin's hooks, for a generation that the host drives itself.
///
/// Used from one thread, which needs a megabyte of stack at least.
public final class HookScript {
  private let runtime: ScriptRuntime
  private let hooks: HookRun

  /// - Throws: `ScriptError`, also where the file does not return hooks.
  public init(_ script: LuaHost.Script, registry: PluginRegistry) throws(ScriptError) {
    runtime = try ScriptRuntime(registry.environment, registry: registry)
    do {
      let chunk = try runtime.load(script)
      let value = try runtime.state.call(chunk).first ?? .nil
      let set = try HookSet(value) {
        .error(code: "invalid_argument", message: "\(script.chunkName.dropFirst()): \($0)")
      }
      hooks = try HookRun(set, session: nil, in: runtime.state)
    } catch {
      throw ScriptError(error)
    }
  }

  /// - Parameter plugin: its name.
  public init(plugin: String, registry: PluginRegistry) throws(ScriptError) {
    runtime = try ScriptRuntime(registry.environment, registry: registry)
    do {
      hooks = try HookRun(try registry.hooks(named: plugin), session: nil, in: runtime.state)
    } catch {
      throw ScriptError(error)
    }
  }

  /// What `on_prompt` makes of a text.
  public func prompt(_ text: String) throws(ScriptError) -> String {
    do {
      guard case .string(let text) = try hooks.onPrompt(.string(text)) else {
        throw HostFault.error(code: "invalid_argument", message: "on_prompt must return text for a prompt that is text")
      }
      return text
    } catch {
      throw ScriptError(error)
    }
  }

  /// What `on_prompt` makes of messages.
  public func prompt(_ messages: [ChatMessage]) throws(ScriptError) -> [ChatMessage] {
    do {
      let list = messages.map { LuaValue.record(["role": .string($0.role), "content": .string($0.content)]) }
      return try ChatMessage.list(try hooks.onPrompt(.list(list))) {
        .error(code: "invalid_argument", message: "on_prompt must return messages, found \($0.shown)")
      }
    } catch {
      throw ScriptError(error)
    }
  }

  /// What `on_tokens` makes of the encoded prompt.
  public func tokens(_ tokens: [TokenID]) throws(ScriptError) -> [TokenID] {
    do { return try hooks.onTokens(tokens) } catch { throw ScriptError(error) }
  }

  /// Puts on_logits, on_token and on_text into the options. What they throw comes out of `Generation.next` as it is:
  /// pass it to `error(_:)`.
  public func attach(to options: inout Generation.Options) { hooks.attach(to: &options) }

  /// To be called before each `Generation.next()`.
  public func willStep(generatedCount: Int) throws(ScriptError) {
    do { try hooks.keep(generatedCount: generatedCount) } catch { throw ScriptError(error) }
  }

  /// To be called with each event.
  public func didStep(_ event: Generation.Event, generatedCount: Int) throws(ScriptError) {
    guard event.takenBack > 0 else { return }
    do { try hooks.rewind(toGenerated: generatedCount) } catch { throw ScriptError(error) }
  }

  /// Fields that `on_finish` adds, as JSON text; nil for none.
  public func finish(text: String, tokens: [TokenID], finish: Generation.Finish?) throws(ScriptError) -> String? {
    let result = LuaTable(fields: [
      (.string("text"), .string(text)), (.string("tokens"), .integers(tokens)),
      (.string("finish"), .text(finish?.rawValue)),
    ])
    do {
      var added = try hooks.onFinish(result)
      added.fields.removeAll { field in
        if case .string(let name) = field.key { ["text", "tokens", "finish"].contains(name) } else { false }
      }
      return added.fields.isEmpty ? nil : JSONCodec.line(.table(added))
    } catch {
      throw ScriptError(error)
    }
  }

  /// Runs a step of a generation; what a script or plugin throws in it comes out as a `ScriptError`.
  public static func translating<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as LacunaError { throw error } catch { throw ScriptError(error) }
  }
}
