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
    scorer.onProgress = PromptProgress().update
    Interrupt.stopBetweenTokens()
    var out = StandardOutput()
    if let prompt, let answer {
      try score(AnswerLine(prompt: prompt, answer: answer), with: scorer, to: &out)
    } else {
      var lines = JSONLines<AnswerLine>()
      while let line = try lines.next() {
        try score(line, with: scorer, to: &out)
        try out.flush()
      }
    }
    try out.flush()
  }

  private func score(_ line: AnswerLine, with scorer: Scorer, to out: inout StandardOutput) throws(LacunaError) {
    let score = try scorer.score(prompt: line.prompt, answers: [line.answer])[0]
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
