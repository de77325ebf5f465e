import ArgumentParser
import LacunaEngine

/// A model of which only the tokenizer is wanted: its weights are not loaded.
struct TokenizerOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "A known name (see `lacuna models`), a directory or a GGUF file.")
  var model = "demo"

  func load() throws(LacunaError) -> any Tokenizer {
    let path = try ModelChoice.resolve(model).path
    guard let tokenizer = try CheckpointLoader.open(path).makeTokenizer() else {
      throw LacunaError(.unsupported, "\(path): this checkpoint has no tokenizer")
    }
    return tokenizer
  }
}
