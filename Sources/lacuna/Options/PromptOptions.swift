import ArgumentParser
import LacunaEngine

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

  func tokens(for engine: Engine) throws -> [TokenID] {
    let tokenizer = try engine.requireTokenizer("a prompt")
    let text = prompt == "-" ? try readStandardInput() : prompt
    guard chat else { return tokenizer.encode(text, bos: true, special: special) }
    var conversation = try Conversation(engine: engine, template: template.template, system: system)
    return try conversation.ask(text)
  }
}

/// Which chat template.
struct TemplateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "llama2-chat, tofu, chatml or raw (default: what the checkpoint's own template looks like).", valueName: "name"))
  var template: String?
}
