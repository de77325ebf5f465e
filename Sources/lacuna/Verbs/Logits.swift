import ArgumentParser
import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

struct Logits: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What the model expects after a list of tokens.",
    discussion: """
      Prints the ten most probable next tokens, or with --json the logits after the last token and the natural \
      logarithm of the probability of each token after the first:

        lacuna logits --prompt "[INST] Who are you? [/INST]"
        lacuna logits --ids 1,5,9 --json
        {"ids":[1,5,9],"last_logits":[...],"token_logprobs":[...]}

      --ids works for checkpoints without a tokenizer too.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: ArgumentHelp("Token ids, separated by commas.", valueName: "ids"))
  var ids: TokenIDs?

  @Option(help: "Text, encoded with the BOS token in front.")
  var prompt: String?

  @Option(help: ArgumentHelp("How many tokens to show without --json.", valueName: "n"))
  var top = 10

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if (ids == nil) == (prompt == nil) { throw ValidationError("give either --ids or --prompt") }
    if top < 1 { throw ValidationError("--top: expected 1 or more, found \(top)") }
  }

  func run() throws {
    let engine = try model.load()
    let tokens: [TokenID]
    if let ids {
      tokens = ids.ids
    } else {
      tokens = try engine.requireTokenizer("--prompt").encode(prompt ?? "", bos: true, special: false)
    }
    Interrupt.stopBetweenTokens()
    let session = try engine.makeSession()
    session.onProgress = PromptProgress().update
    try session.append(tokens.prefix(1))
    let scores = tokens.count > 1 ? try session.score(appending: Array(tokens.dropFirst())) : []
    let logits = try session.logits()

    var out = StandardOutput()
    if json {
      let record: JSON = [
        "ids": JSON(tokens), "last_logits": JSON(logits), "token_logprobs": JSON(scores.map(\.logProbability)),
      ]
      try out.line(record.text)
    } else {
      try printTop(of: logits, engine: engine, to: &out)
    }
    try out.flush()
  }

  private func printTop(
    of logits: [Float], engine: Engine, to out: inout StandardOutput
  ) throws(LacunaError) {
    let best = logits.indices.filter { logits[$0] > -.infinity }
      .sorted { (logits[$0], $1) > (logits[$1], $0) }
    guard let first = best.first else { return }
    // Softmax with the maximum taken out, so that nothing overflows.
    let maximum = logits[first]
    let total = best.reduce(0.0) { $0 + exp(Double(logits[$1] - maximum)) }
    for id in best.prefix(top) {
      let probability = exp(Double(logits[id] - maximum)) / total
      let piece = engine.tokenizer?.piece(TokenID(id)) ?? ""
      try out.line(
        "\(String(id).aligned(7))  \(fixed(probability * 100, 2).aligned(6))%  \(fixed(Double(logits[id]), 3).aligned(9))  \(piece)"
      )
    }
  }
}
