/// What a model expected of a token, beside the token's own score.
public struct TokenExpectation: Sendable, Equatable {
  public let score: TokenScore
  /// Of ln p over all tokens, each weighted by its p.
  public let mean: Double
  public let variance: Double
}

extension Scorer {
  /// The scored tokens of an answer with what the model expected in the place of each.
  public func expectations(
    prompt: String, answer: String
  ) throws(LacunaError) -> (tokens: [TokenID], expectations: [TokenExpectation]) {
    let work = try ExpectationWork(self, prompt: prompt, answer: answer)
    try finish(work)
    return (work.tokens, work.expectations)
  }

  /// KL(reference || model) in nats after every token of prompt and answer, where "model" is the scorer's engine: how far its
  /// next-token distributions are from the reference's.
  ///
  /// Every real position counts once, those of the prompt included, and no padding: the last is the one behind the answer.
  /// - Throws: `unsupported` where the two models differ in their tokens.
  public func divergences(
    from reference: Engine, prompt: String, answer: String
  ) throws(LacunaError) -> [Double] {
    let work = try DivergenceWork(self, from: reference, prompt: prompt, answer: answer)
    try finish(work)
    return work.divergences
  }

  /// Runs the work alone.
  func finish(_ work: any Work) throws(LacunaError) {
    do {
      try work.run()
    } catch {
      throw error as? LacunaError ?? LacunaError(.resource, "\(error)")
    }
  }
}
