/// Bans every token that would complete n tokens in a row that are in the text already (Paulus et al. 2018, section
/// 2.5, with n = 3). Where that would leave no token, it bans none.
struct NoRepeatNgram: FilterStage {
  static let schema = StageSchema(
    name: "no_repeat_ngram", isSelector: false, keepsArgmax: false,
    meaning: "bans tokens that would repeat n tokens in a row",
    parameters: [.integer("n", 3, 0...1_000_000, "how many in a row; 0 is off")])

  private let n: Int

  init(_ parameters: StageParameters, _ environment: StageEnvironment) {
    n = parameters.integer("n")
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    let tokens = context.tokens
    guard n > 0, tokens.count >= n else { return }
    let survivors = try candidates.range().survivors
    let (marks, banned) = (candidates.scratch.counts, candidates.scratch.positions)
    let logits = candidates.logits
    var bannedCount = 0
    // The last n - 1 tokens are compared with those before each earlier place.
    let tail = tokens.count - (n - 1)
    for place in (n - 1)..<tokens.count {
      guard let position = candidates.position(of: tokens[place]), marks[position] == 0,
        logits[position] > -.infinity, (0..<(n - 1)).allSatisfy({ tokens[place - (n - 1) + $0] == tokens[tail + $0] })
      else { continue }
      marks[position] = 1
      banned[bannedCount] = Int32(truncatingIfNeeded: position)
      bannedCount += 1
    }
    for index in 0..<bannedCount {
      marks[Int(banned[index])] = 0
      if bannedCount < survivors { logits[Int(banned[index])] = -.infinity }
    }
    if bannedCount > 0 { try candidates.logitsChanged() }
  }
}
