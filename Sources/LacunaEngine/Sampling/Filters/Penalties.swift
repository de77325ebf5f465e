/// Makes tokens that already occurred less likely: the repetition penalty of CTRL (Keskar et al. 2019, section 4.1),
/// then frequency and presence penalties as OpenAI's API defines them (logit - count * frequency - presence).
struct Penalties: FilterStage {
  static let schema = StageSchema(
    name: "penalties", isSelector: false, keepsArgmax: false,
    meaning: "makes tokens of the text so far less likely (CTRL; OpenAI's frequency and presence)",
    parameters: [
      .number(
        "repetition", 1, 0.01...100, "divides positive, multiplies negative logits of tokens that occurred; 1 is off"),
      .number("frequency", 0, -100...100, "subtracted once for each occurrence; 0 is off"),
      .number("presence", 0, -100...100, "subtracted from tokens that occurred at all; 0 is off"),
      .integer("last_n", -1, -1...10_000_000, "how many of the last tokens count; -1 is all of them"),
      .bool("prompt", true, "whether tokens of the prompt count"),
    ])

  private let repetition: Float
  private let frequency: Float
  private let presence: Float
  private let window: Int
  private let countsPrompt: Bool

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    repetition = Float(parameters.number("repetition"))
    frequency = Float(parameters.number("frequency"))
    presence = Float(parameters.number("presence"))
    let lastN = parameters.integer("last_n")
    window = lastN < 0 ? .max : lastN
    countsPrompt = parameters.bool("prompt")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    guard repetition != 1 || frequency != 0 || presence != 0 else { return }
    let tokens = context.tokens
    let first = max(countsPrompt ? 0 : context.promptCount, window < tokens.count ? tokens.count - window : 0)
    guard first < tokens.count else { return }
    let (counts, distinct) = (candidates.scratch.counts, candidates.scratch.positions)
    var distinctCount = 0
    for index in first..<tokens.count {
      let token = Int(tokens[index])
      guard token >= 0, token < candidates.vocabularySize else { continue }
      if counts[token] == 0 {
        distinct[distinctCount] = tokens[index]
        distinctCount &+= 1
      }
      counts[token] &+= 1
    }
    let logits = candidates.logits
    for index in 0..<distinctCount {
      let token = distinct[index]
      if let position = candidates.position(of: token) {
        var logit = logits[position]
        logit = logit > 0 ? logit / repetition : logit * repetition
        logits[position] = logit - Float(counts[Int(token)]) * frequency - presence
      }
      counts[Int(token)] = 0
    }
    try candidates.logitsChanged()
  }
}
