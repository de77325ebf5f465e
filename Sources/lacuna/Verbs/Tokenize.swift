import ArgumentParser
import LacunaEngine

struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Text to token ids.",
    discussion: """
        lacuna tokenize "Hello there"
        echo '{"text":"Hello there"}' | lacuna tokenize --json
        {"ids":[...]}

      With --json, standard input holds a JSON object a line, and so does the output. BOS is not added unless asked \
      for, and control tokens written out in the text stay text.
      """)

  @Argument(help: "The text; without it, standard input.")
  var text: String?

  @OptionGroup var model: TokenizerOptions

  @Flag(help: "Begin with the BOS token.")
  var bos = false

  @Flag(help: "Read control tokens written out in the text (\"</s>\") as those tokens.")
  var special = false

  @Flag(help: "Read and print JSON lines.")
  var json = false

  func run() throws {
    let tokenizer = try model.load()
    var out = StandardOutput()
    if json, text == nil {
      var lines = JSONLines<TextLine>()
      while let line = try lines.next() {
        let record: JSON = ["ids": JSON(tokenizer.encode(line.text, bos: bos, special: special))]
        try out.line(record.text)
        try out.flush()
      }
    } else {
      let text = if let text { text } else { try readStandardInput() }
      let ids = tokenizer.encode(text, bos: bos, special: special)
      if json {
        let record: JSON = ["ids": JSON(ids)]
        try out.line(record.text)
      } else {
        for id in ids { try out.line("\(String(id).aligned(7))  \(tokenizer.piece(id))") }
      }
    }
    try out.flush()
  }
}
