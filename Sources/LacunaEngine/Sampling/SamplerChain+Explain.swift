extension SamplerChain {
  /// What a stage left over, from `explain`.
  public struct StageReport: Sendable, Equatable {
    /// "input" for the logits as they came.
    public let name: String
    /// Tokens that can still be drawn.
    public let survivors: Int
    /// Of their distribution, in nats.
    public let entropy: Double
    /// The most probable ones, best first, and their probabilities.
    public let topTokens: [TokenID]
    public let topProbabilities: [Double]
  }

  /// What each stage would leave over, the selector's choice last. Changes neither `logits` nor the chain's state.
  public func explain(
    _ logits: UnsafeBufferPointer<Float>, _ context: SamplingContext, top: Int = 5
  ) throws -> [StageReport] {
    var chain = self
    try chain.makeUnique()
    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: logits.count)
    defer { copy.deallocate() }
    _ = copy.initialize(from: logits)
    var candidates = Candidates(copy, chain.scratch)
    var reports = [try candidates.report("input", top: top)]
    for index in chain.filters.indices {
      try chain.filter(index, &candidates, context)
      reports.append(try candidates.report(chain.filters[index].name, top: top))
    }
    // Greedy decoding leaves out filters that cannot change its choice, save by rounding: the choice is the one without.
    let token = try filters.allSatisfy(\.runs) ? chain.select(&candidates, context) : drawn(from: logits, context)
    reports.append(
      StageReport(
        name: chain.selectorName, survivors: 1, entropy: 0, topTokens: [token], topProbabilities: [1]))
    return reports
  }

  private func drawn(from logits: UnsafeBufferPointer<Float>, _ context: SamplingContext) throws -> TokenID {
    var chain = self
    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: logits.count)
    defer { copy.deallocate() }
    _ = copy.initialize(from: logits)
    return try chain.sample(copy, context)
  }
}

extension Candidates {
  fileprivate mutating func report(_ name: String, top: Int) throws(LacunaError) -> SamplerChain.StageReport {
    let survivors = try range().survivors
    let entropy = try entropy()
    let total = try weights()
    let order = UnsafeMutableBufferPointer(
      start: scratch.positions, count: top > 0 ? try bestPositions(min(top, survivors)) : 0)
    Selection.sort(order, by: UnsafePointer(logits))
    return SamplerChain.StageReport(
      name: name, survivors: survivors, entropy: entropy, topTokens: order.map { id(at: Int($0)) },
      topProbabilities: order.map { Double(scratch.weights[Int($0)]) / total })
  }
}
