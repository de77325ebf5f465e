import ArgumentParser
import LacunaEngine

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "How probable an answer is after a prompt.",
    discussion: """
        lacuna score --prompt "[INST] Who are you? [/INST]" --answer "A model."
        lacuna score --json < pairs.jsonl
        {"sum":-12.3,"mean":-0.41,"n":30,"greedy":false}

      Without --prompt, standard input holds a JSON object {"prompt":"...","answer":"..."} a line. Prompt and answer \
      are encoded as one text after the BOS token; the answer's tokens are those after as many as the prompt alone \
      has. "sum" and "mean" are natural logarithms, "greedy" says whether every token was the most probable one.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "The text before the answer.")
  var prompt: String?

  @Option(help: "The text to score.")
  var answer: String?

  @Flag(help: "Score the end-of-sequence token after the answer too.")
  var eos = false

  @Flag(help: "Add the logarithm of each token's probability (\"logprobs\").")
  var perToken = false

  @Flag(help: "Print a JSON object a line.")
  var json = false

  func validate() throws {
    if (prompt == nil) != (answer == nil) { throw ValidationError("--prompt and --answer go together") }
  }

  func run() throws {
    let engine = try model.load()
    var scorer = try Scorer(engine: engine)
    scorer.scoresEOS = eos
    Interrupt.stopBetweenTokens()
    var out = StandardOutput()
    if let prompt, let answer {
      try score([AnswerLine(prompt: prompt, answer: answer)], with: scorer, to: &out)
    } else {
      try scoreLines(with: scorer, to: &out)
    }
  }

  /// Lines that are scored together: their prompts may have a beginning in common, and a pass is fuller.
  private static let linesTogether = 64

  /// Takes as many lines as are there at once. Who waits for an answer before writing the next line gets it.
  private func scoreLines(with scorer: Scorer, to out: inout StandardOutput) throws {
    var lines = JSONLines<AnswerLine>()
    var isAtEnd = false
    while !isAtEnd {
      var together: [AnswerLine] = []
      var failure: LacunaError?
      do throws(LacunaError) {
        repeat {
          guard let line = try lines.next() else {
            isAtEnd = true
            break
          }
          together.append(line)
        } while together.count < Self.linesTogether && lines.isReady
      } catch {
        failure = error
      }
      // What came before a line that is wrong is answered.
      try score(together, with: scorer, to: &out)
      if let failure { throw failure }
    }
  }

  private func score(_ lines: [AnswerLine], with scorer: Scorer, to out: inout StandardOutput) throws {
    var sequences: [Scorer.Sequence] = []
    let encoding = Result {
      for line in lines { sequences.append(try scorer.sequence(prompt: line.prompt, answer: line.answer)) }
    }
    let scores = Scores(count: sequences.count)
    try ScoringWork(engine: scorer.engine, sequences, report: scores.add).run { Interrupt.isRequested }
    let showing = Result { for index in sequences.indices { try show(try scores.score(index), to: &out) } }
    try out.flush()
    try showing.get()
    try encoding.get()
  }

  private func show(_ score: AnswerScore, to out: inout StandardOutput) throws(LacunaError) {
    if json {
      var members: [(key: String, value: JSON)] = [
        ("sum", .number(score.sum)), ("mean", .number(score.mean)), ("n", .integer(score.count)),
        ("greedy", .bool(score.isGreedy)),
      ]
      if perToken { members.append(("logprobs", JSON(score.scores.map(\.logProbability)))) }
      try out.line(JSON.object(members).text)
    } else {
      try out.line(
        "sum \(fixed(score.sum, 4))  mean \(fixed(score.mean, 4))  n \(score.count)  greedy \(score.isGreedy ? "yes" : "no")"
      )
      if perToken { try out.line(score.scores.map { fixed(Double($0.logProbability), 4) }.joined(separator: " ")) }
    }
  }
}
