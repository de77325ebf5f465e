import ArgumentParser
import LacunaEngine
import LacunaScript

/// A prompt, as text or as a conversation.
struct PromptOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "The text to go on from; \"-\" reads standard input.")
  var prompt: String

  @Flag(help: "Take the prompt as a user's message and put it into the model's chat template.")
  var chat = false

  @Option(help: "With --chat: a system message in front.")
  var system: String?

  @OptionGroup var template: TemplateOptions

  @Flag(help: "Read control tokens written out in the prompt (\"</s>\") as those tokens.")
  var special = false

  func validate() throws {
    if system != nil, !chat { throw ValidationError("--system goes with --chat") }
    if template.template != nil, !chat { throw ValidationError("--template goes with --chat") }
    if special, chat { throw ValidationError("--special does not go with --chat: a message is always plain text") }
  }

  /// - Returns: the prompt's tokens, and what the chat template says ends the reply.
  func tokens(for engine: Engine, hooks: HookScript?, _ registry: PluginRegistry) throws -> (
    ids: [TokenID], stop: [String]
  ) {
    let tokenizer = try engine.requireTokenizer("a prompt")
    let text = if prompt == "-" { try readStandardInput() } else { prompt }
    guard chat else {
      let ids = tokenizer.encode(try hooks?.prompt(text) ?? text, bos: true, special: special)
      return (try hooks?.tokens(ids) ?? ids, [])
    }
    let template = try registry.template(template.template, for: engine)
    let messages =
      (system.map { [ChatMessage(role: "system", content: $0)] } ?? []) + [
        ChatMessage(role: "user", content: text)
      ]
    let ids = try template.encode(try hooks?.prompt(messages) ?? messages, with: tokenizer)
    return (try hooks?.tokens(ids) ?? ids, template.stop)
  }
}

/// Which chat template.
struct TemplateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "llama2-chat, tofu, chatml, raw or a plugin's (default: the checkpoint's own).",
      valueName: "name"))
  var template: String?
}
