// The ways in which filters cut a distribution. None of them leaves it empty.
extension Candidates {
  /// Keeps the k best by logit (all of them where there are fewer).
  mutating func keepBest(_ k: Int) throws(LacunaError) {
    guard try k < range().survivors else { return }
    keepPositions(try bestPositions(k))
  }

  /// Keeps what has a score of `threshold` or more, and the `minimum` best by score if those are more.
  /// - Parameter scores: [count]; rises with the logit.
  mutating func keep(
    atLeast threshold: Float, in scores: UnsafePointer<Float>, minimum: Int
  ) throws(LacunaError) {
    let kept = LogitKernels.indexes(scratch.positions, of: scores, count, atLeast: threshold)
    if kept < max(minimum, 1) { return try keepBest(max(minimum, 1)) }
    if kept < count { keepPositions(kept) }
  }

  /// Keeps the shortest beginning of the ranking by score whose share of the probability is `mass` or more, and at
  /// least the `minimum` best by score.
  /// - Parameters:
  ///   - scores: [count]; -inf where the token is masked.
  ///   - scoresRiseWithLogits: saves looking at the many that are too improbable to matter.
  mutating func keepMass(
    _ mass: Double, by scores: UnsafePointer<Float>, scoresRiseWithLogits: Bool, minimum: Int
  ) throws(LacunaError) {
    let total = try weights()
    let minimum = max(minimum, 1)
    guard try minimum < range().survivors else { return }
    var ranking = Selection.Ranking(
      scores: scores, weights: UnsafePointer(scratch.weights), count: count, population: nil)
    if scoresRiseWithLogits, let probable = probablePositions(mass * total) {
      ranking.population = UnsafePointer(scratch.positions)
      ranking.count = probable
    }
    guard
      let cut = Selection.cut(
        ranking, target: mass * total, work: scratch.work, histogram: scratch.histogram)
    else { return }
    var kept = positions(cut, scores, of: ranking.population, ranking.count)
    if kept < minimum {
      ranking = Selection.Ranking(scores: scores, weights: nil, count: count, population: nil)
      guard
        let wider = Selection.cut(
          ranking, target: Double(minimum), work: scratch.work, histogram: scratch.histogram)
      else { return }
      kept = positions(wider, scores, of: nil, count)
    }
    if kept < count { keepPositions(kept) }
  }

  /// Writes the places of the tokens that are not much less probable than the best to `scratch.positions`, if they are
  /// few and together weigh more than `weight` without doubt.
  private func probablePositions(_ weight: Double) -> Int? {
    // Of a language model's distribution these are most of the mass, and some hundred tokens.
    let found = LogitKernels.indexes(scratch.positions, of: scratch.weights, count, atLeast: 0x1p-8)
    guard found < count / 4 else { return nil }
    var sum = 0.0
    for index in 0..<found { sum += Double(scratch.weights[Int(scratch.positions[index])]) }
    return sum > weight * (1 + 1e-5) ? found : nil
  }

  /// Writes the places of the k best by logit to `scratch.positions`, rising; returns how many there are.
  mutating func bestPositions(_ k: Int) throws(LacunaError) -> Int {
    let range = try range()
    let logits = UnsafePointer(logits)
    guard k < range.survivors else {
      return LogitKernels.indexes(scratch.positions, of: logits, count, atLeast: -.infinity)
    }
    var ranking = Selection.Ranking(scores: logits, weights: nil, count: count, population: nil)
    // Of n blocks' maxima the k-th highest is a lower bound of the k-th highest logit, and a tight one while k is
    // well below n: what lies below the bound need not be looked at.
    let blocks = (count + LogitKernels.laneCount - 1) / LogitKernels.laneCount
    if k * 2 <= blocks {
      LogitKernels.blockMaxima(scratch.scores, logits, count)
      var maxima = ranking
      maxima.scores = UnsafePointer(scratch.scores)
      maxima.count = blocks
      if let cut = Selection.cut(
        maxima, target: Double(k), work: scratch.work, histogram: scratch.histogram)
      {
        ranking.count = LogitKernels.indexes(scratch.positions, of: logits, count, atLeast: cut.score)
        ranking.population = UnsafePointer(scratch.positions)
      }
    }
    guard
      let cut = Selection.cut(
        ranking, target: Double(k), work: scratch.work, histogram: scratch.histogram)
    else { preconditionFailure("\(k) of \(range.survivors) candidates not found") }
    return positions(cut, logits, of: ranking.population, ranking.count)
  }

  /// Writes what a cut keeps to `scratch.positions`, which `population` may be; returns how many.
  private func positions(
    _ cut: Cut, _ scores: UnsafePointer<Float>, of population: UnsafePointer<Int32>?, _ count: Int
  ) -> Int {
    let positions = scratch.positions
    let count =
      population == nil ? LogitKernels.indexes(positions, of: scores, count, atLeast: cut.score) : count
    var ties = cut.ties
    var kept = 0
    for index in 0..<count {
      let position = positions[index]
      let score = scores[Int(position)]
      guard score >= cut.score else { continue }
      if score == cut.score {
        guard ties > 0 else { continue }
        ties &-= 1
      }
      positions[kept] = position
      kept &+= 1
    }
    return kept
  }
}
