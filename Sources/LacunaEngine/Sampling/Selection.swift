/// Where a ranking (falling score, rising position among equals) is cut: what scores above `score` stays, and of what
/// scores exactly that, the first `ties`.
package struct Cut: Equatable {
  package var score: Float
  package var ties: Int

  package init(score: Float, ties: Int) {
    self.score = score
    self.ties = ties
  }
}

/// Finds a cut without sorting: a histogram of the scores says which bucket the cut falls in, and the search goes on
/// inside that bucket until few enough are left to sort. O(n) for any input that single precision can spread.
package enum Selection {
  package static let bucketCount = 256
  private static let sortableCount = 32

  /// What is ranked. `population` restricts it to some positions; nil is all of 0..<count.
  package struct Ranking {
    var scores: UnsafePointer<Float>
    /// What an entry counts for; nil counts 1 each.
    var weights: UnsafePointer<Float>?
    var count: Int
    var population: UnsafePointer<Int32>?

    package init(
      scores: UnsafePointer<Float>, weights: UnsafePointer<Float>?, count: Int, population: UnsafePointer<Int32>?
    ) {
      self.scores = scores
      self.weights = weights
      self.count = count
      self.population = population
    }
  }

  /// The cut of the shortest beginning of the ranking whose weights sum to `target` or more; nil where all of it does
  /// not. Scores of -inf do not take part.
  /// - Parameters:
  ///   - work: [count]; may be where `population` is.
  ///   - histogram: [4, bucketCount]
  package static func cut(
    _ ranking: Ranking, target: Double, work: UnsafeMutablePointer<Int32>, histogram: UnsafeMutablePointer<Double>
  ) -> Cut? {
    var population = ranking.population
    var count = ranking.count
    var (lowest, highest) = bounds(ranking)
    var target = target
    var isInsideBucket = false
    while true {
      let scale = Float(bucketCount - 1) / (highest - lowest)
      guard count > sortableCount, scale.isNormal else {
        let order = unmasked(ranking, population, count, work)
        // Equal scores are in order as they are.
        if lowest < highest { sort(order, by: ranking.scores) }
        return walk(ranking, order, target: target, endIsCut: isInsideBucket)
      }
      let buckets = Buckets(highest: highest, scale: scale)
      fill(histogram, ranking, population, count, buckets)
      var bucket = 0
      while bucket < bucketCount, histogram[bucket] < target {
        target -= histogram[bucket]
        bucket &+= 1
      }
      guard bucket < bucketCount else { return nil }
      count = gather(work, ranking, population, count, buckets, bucket, &lowest, &highest)
      population = UnsafePointer(work)
      isInsideBucket = true
    }
  }

  /// Rounding is monotone in each step, so a higher score never lands in a later bucket.
  private struct Buckets {
    var highest: Float
    var scale: Float

    @inline(__always)
    func index(_ score: Float) -> Int {
      let place = (highest - score) * scale
      // -inf goes to the last bucket.
      return Int(Int32(place < Float(bucketCount - 1) ? place : Float(bucketCount - 1)))
    }

    /// Four histograms in turn: neighbours that share a bucket do not wait for one another.
    @inline(__always)
    func slot(_ score: Float, _ index: Int) -> Int { self.index(score) &+ (index & 3) &* bucketCount }
  }

  /// Lowest and highest score above -inf; crossed where there is none.
  private static func bounds(_ ranking: Ranking) -> (lowest: Float, highest: Float) {
    guard let population = ranking.population else {
      return (
        LogitKernels.lowest(ranking.scores, ranking.count),
        LogitKernels.range(ranking.scores, ranking.count).highest
      )
    }
    var (lowest, highest) = (Float.infinity, -Float.infinity)
    for index in 0..<ranking.count {
      let score = ranking.scores[Int(population[index])]
      guard score > -.infinity else { continue }
      lowest = min(lowest, score)
      highest = max(highest, score)
    }
    return (lowest, highest)
  }

  private static func fill(
    _ histogram: UnsafeMutablePointer<Double>, _ ranking: Ranking, _ population: UnsafePointer<Int32>?, _ count: Int,
    _ buckets: Buckets
  ) {
    histogram.update(repeating: 0, count: 4 * bucketCount)
    let scores = ranking.scores
    switch (population, ranking.weights) {
    case (nil, let weights?):
      // Masked tokens weigh nothing.
      for index in 0..<count { histogram[buckets.slot(scores[index], index)] += Double(weights[index]) }
    case (nil, nil):
      for index in 0..<count where scores[index] > -.infinity { histogram[buckets.slot(scores[index], index)] += 1 }
    case (let population?, let weights):
      for index in 0..<count {
        let position = Int(population[index])
        guard scores[position] > -.infinity else { continue }
        histogram[buckets.slot(scores[position], index)] += weights.map { Double($0[position]) } ?? 1
      }
    }
    for bucket in 0..<bucketCount {
      histogram[bucket] +=
        histogram[bucket + bucketCount] + histogram[bucket + 2 * bucketCount] + histogram[bucket + 3 * bucketCount]
    }
  }

  /// Moves the positions of one bucket to `work`, in rising order, and finds their bounds.
  private static func gather(
    _ work: UnsafeMutablePointer<Int32>, _ ranking: Ranking, _ population: UnsafePointer<Int32>?, _ count: Int,
    _ buckets: Buckets, _ bucket: Int, _ lowest: inout Float, _ highest: inout Float
  ) -> Int {
    (lowest, highest) = (.infinity, -.infinity)
    var found = 0
    for index in 0..<count {
      let position = population.map { Int($0[index]) } ?? index
      let score = ranking.scores[position]
      guard buckets.index(score) == bucket, score > -.infinity else { continue }
      work[found] = Int32(truncatingIfNeeded: position)
      found &+= 1
      lowest = min(lowest, score)
      highest = max(highest, score)
    }
    return found
  }

  private static func unmasked(
    _ ranking: Ranking, _ population: UnsafePointer<Int32>?, _ count: Int, _ work: UnsafeMutablePointer<Int32>
  ) -> UnsafeMutableBufferPointer<Int32> {
    var found = 0
    for index in 0..<count {
      let position = population.map { $0[index] } ?? Int32(truncatingIfNeeded: index)
      guard ranking.scores[Int(position)] > -.infinity else { continue }
      work[found] = position
      found &+= 1
    }
    return UnsafeMutableBufferPointer(start: work, count: found)
  }

  /// - Parameter endIsCut: the order is a bucket that was seen to reach the target, so that only rounding can fall
  ///   short of it.
  private static func walk(
    _ ranking: Ranking, _ order: UnsafeMutableBufferPointer<Int32>, target: Double, endIsCut: Bool
  ) -> Cut? {
    var running = 0.0
    var cut = Cut(score: .infinity, ties: 0)
    for position in order {
      let score = ranking.scores[Int(position)]
      cut = Cut(score: score, ties: score == cut.score ? cut.ties &+ 1 : 1)
      running += ranking.weights.map { Double($0[Int(position)]) } ?? 1
      if running >= target { return cut }
    }
    return endIsCut ? cut : nil
  }

  /// Falling score, rising position among equals. Heapsort: in place, whatever the count.
  package static func sort(_ order: UnsafeMutableBufferPointer<Int32>, by scores: UnsafePointer<Float>) {
    guard order.count > 1, let heap = order.baseAddress else { return }
    for root in (0..<(order.count / 2)).reversed() { sink(heap, root, order.count, scores) }
    for last in (1..<order.count).reversed() {
      (heap[0], heap[last]) = (heap[last], heap[0])
      sink(heap, 0, last, scores)
    }
  }

  /// The root of a heap is what comes last.
  private static func sink(
    _ heap: UnsafeMutablePointer<Int32>, _ root: Int, _ count: Int, _ scores: UnsafePointer<Float>
  ) {
    var root = root
    let moved = heap[root]
    while 2 &* root &+ 1 < count {
      var child = 2 &* root &+ 1
      if child &+ 1 < count, precedes(heap[child], heap[child &+ 1], scores) { child &+= 1 }
      guard precedes(moved, heap[child], scores) else { break }
      heap[root] = heap[child]
      root = child
    }
    heap[root] = moved
  }

  @inline(__always)
  private static func precedes(_ a: Int32, _ b: Int32, _ scores: UnsafePointer<Float>) -> Bool {
    let (x, y) = (scores[Int(a)], scores[Int(b)])
    return x == y ? a < b : x > y
  }
}
