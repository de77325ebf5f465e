import ArgumentParser
import LacunaEngine
import LacunaScript

struct Chat: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Talk to a model.",
    discussion: """
        lacuna chat --model smollm2 --system "You are brief."

      A line is a message. Keys and values of earlier turns are kept, so that only what is new is read. Lines that \
      begin with a slash are commands: /help lists them. Ctrl-C ends a reply, and at the prompt the conversation.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var template: TemplateOptions
  @OptionGroup var sampling: SamplingOptions
  @OptionGroup var speculation: SpeculationOptions
  @OptionGroup var limits: LengthOptions
  @OptionGroup var plugins: PluginOptions

  @Option(help: "A system message in front.")
  var system: String?

  @Flag(help: "Between two turns, load plugins anew whose files have changed.")
  var watch = false

  private static let help = """
    /reset        forget the conversation
    /save FILE    write the messages to FILE as JSON
    /help         this list
    /exit         leave (so does Ctrl-D)
    """

  func run() throws {
    let environment = try ScriptSupport.environment(model, seed: sampling.seed, plugins: plugins)
    let registry = PluginRegistry(environment)
    let engine = try environment.resolveModel(nil)
    var conversation = try Conversation(engine: engine, template: template.template, system: system, registry)
    // Wrong options are refused before the first message is typed.
    _ = try sampling.makeChain(for: engine, registry)
    if watch { registry.watch() }
    // One for all turns: it keeps what the draft model has read.
    let speculation = try speculation.make(for: engine, model)
    let session = try engine.makeSession()
    session.onProgress = PromptProgress().update
    let isInteractive = StandardInput.isTerminal && StandardOutput.isTerminal
    var input = StandardInput()
    var out = StandardOutput()
    if isInteractive {
      try out.line("\(engine.info.name), \(formatCount(engine.info.parameterCount)) weights. /help lists the commands.")
      if !conversation.remembersTurns {
        try out.line("The template \(conversation.template.name) knows one question at a time: each stands by itself.")
      }
    }

    Interrupt.stopBetweenTokens()
    var turn: UInt64 = 0
    while true {
      if isInteractive {
        try out.write("\n> ")
        try out.flush()
      }
      guard let bytes = try input.line() else { break }
      let line = String(decoding: bytes, as: UTF8.self).trimmed
      if line.isEmpty { continue }
      if line.hasPrefix("/") {
        guard try obey(line, &conversation, session, to: &out) else { break }
        continue
      }
      if watch { try reload(registry, engine, to: &out) }
      do {
        try reply(to: line, turn: turn, &conversation, session, registry, speculation, to: &out)
      } catch let error as LacunaError {
        // A full context or a message that cannot be read costs the turn and not the conversation.
        guard isInteractive, error.code == .contextFull || error.code == .cancelled else { throw error }
        conversation.takeBack()
        if error.code == .contextFull { try out.line("\(error.message); /reset begins again") }
      } catch  where watch {
        // So does a mistake in a plugin that is being written.
        conversation.takeBack()
        try out.line("(\(ScriptSupport.text(error)))")
      }
      turn += 1
      if Interrupt.isRequested {
        guard isInteractive else { break }
        Interrupt.clear()
      }
    }
    if isInteractive { try out.line() }
    try out.flush()
  }

  private func reply(
    to message: String, turn: UInt64, _ conversation: inout Conversation, _ session: Session,
    _ registry: PluginRegistry, _ speculation: Speculation?, to out: inout StandardOutput
  ) throws {
    let tokens = try conversation.ask(message)
    // What the conversation has in common with what the session holds stays; the rest is read anew.
    let shared = zip(session.tokens, tokens).prefix { $0 == $1 }.count
    try session.rewind(to: shared)
    try session.append(tokens[shared...])

    var options = Generation.Options()
    options.seed = sampling.seed
    options.stream = turn
    options.maxTokens = limits.maxTokens
    options.stop = limits.stop + conversation.template.stop
    options.speculation = speculation
    options.isCancelled = { Interrupt.isRequested }
    var generation = try Generation(
      session: session, chain: try sampling.makeChain(for: session.engine, registry), options: options)
    var transcript = Transcript()
    while let event = try HookScript.translating({ try generation.next() }) {
      transcript.add(event)
      try out.write(event.text)
      try out.flush()
    }
    try out.line()
    try out.flush()
    conversation.answer(transcript.text)
  }

  private func reload(_ registry: PluginRegistry, _ engine: Engine, to out: inout StandardOutput) throws {
    let (replaced, kept) = registry.reload { _ = try sampling.makeChain(for: engine, registry) }
    for name in replaced { try out.line("(plugin \(name) is loaded anew)") }
    for (name, error) in kept { try out.line("(plugin \(name) stays as it was: \(ScriptSupport.text(error)))") }
  }

  /// Runs a command; false ends the conversation.
  private func obey(
    _ line: String, _ conversation: inout Conversation, _ session: Session, to out: inout StandardOutput
  ) throws -> Bool {
    let words = line.split(separator: " ", maxSplits: 1).map { String($0).trimmed }
    switch words[0] {
    case "/exit", "/quit":
      return false
    case "/reset":
      conversation.reset()
      try session.rewind(to: 0)
      try out.line("forgotten")
    case "/save" where words.count == 2:
      try out.line(Self.save(conversation, to: words[1]))
    case "/help":
      try out.line(Self.help)
    default:
      try out.line("no such command: \(line)\n\(Self.help)")
    }
    return true
  }
}

extension Chat {
  /// Saves and says how it went: a file that cannot be written is no reason to end a conversation.
  private static func save(_ conversation: Conversation, to path: String) -> String {
    do throws(LacunaError) {
      try conversation.save(to: path)
      return "saved \(conversation.messages.count) messages to \(path)"
    } catch {
      return error.message
    }
  }
}

extension Conversation {
  /// Writes the messages as a JSON array, whole or not at all.
  func save(to path: String) throws(LacunaError) {
    let list = JSON.array(messages.map { ["role": .string($0.role), "content": .string($0.content)] })
    try writeFile(list.indentedText + "\n", to: path)
  }
}

extension String {
  /// Without white space at either end.
  var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else {
      return ""
    }
    return String(self[first...last])
  }
}
