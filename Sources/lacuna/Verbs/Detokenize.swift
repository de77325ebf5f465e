import ArgumentParser
import LacunaEngine

struct Detokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Token ids to text.",
    discussion: """
        lacuna detokenize 1,451,27
        echo '{"ids":[1,451,27]}' | lacuna detokenize --json
        {"text":"..."}

      Control tokens are left out, and ill-formed UTF-8 is repaired.
      """)

  @Argument(help: "Ids, separated by commas; with --json, standard input holds a JSON object a line instead.")
  var ids: TokenIDs?

  @OptionGroup var model: TokenizerOptions

  @Flag(help: "Read and print JSON lines.")
  var json = false

  func validate() throws {
    if ids == nil, !json { throw ValidationError("give ids, or --json and JSON lines on standard input") }
  }

  func run() throws {
    let tokenizer = try model.load()
    var out = StandardOutput()
    if let ids {
      try out.line(try text(ids.ids, "ids", tokenizer))
    } else {
      var lines = JSONLines<IDsLine>()
      while let line = try lines.next() {
        try out.line(try text(line.ids, "standard input, line \(lines.number): ids", tokenizer))
        try out.flush()
      }
    }
    try out.flush()
  }

  private func text(_ ids: [TokenID], _ place: String, _ tokenizer: any Tokenizer) throws(LacunaError) -> String {
    for (index, id) in ids.enumerated() where id < 0 || Int(id) >= tokenizer.vocabularySize {
      throw LacunaError(
        .invalidArgument, "\(place)[\(index)]: expected 0 to \(tokenizer.vocabularySize - 1), found \(id)")
    }
    let text = tokenizer.decode(ids)
    let record: JSON = ["text": .string(text)]
    return json ? record.text : text
  }
}
