import Foundation
import LacunaEngine
import Testing

@Suite("Loops over logits")
struct LogitKernelTests {
  @Test("weights are e^(x - highest) to single precision, and 0 where nothing is left")
  func weights() {
    let values = (0...4000).map { -Float($0) * 0.025 } + [-.infinity, -1e30, -86.99, -87.01]
    var weights = [Float](repeating: 0, count: values.count + 16)
    let total = LogitKernels.weights(&weights, values, values.count, highest: 0)
    var sum = 0.0
    for (value, weight) in zip(values, weights) {
      let exact = exp(Double(value))
      sum += Double(weight)
      if value < -87 { #expect(weight == 0) } else { #expect(abs(Double(weight) / exact - 1) < 4e-7, "e^\(value)") }
    }
    #expect(abs(total / sum - 1) < 1e-6)
  }

  @Test("ranges, sums and deviations match a plain loop at every length and alignment")
  func reductions() {
    let sample = SampleLogits(.masked, 300, seed: 4)
    for start in 0..<3 {
      for end in stride(from: start, through: 300, by: start == 0 ? 1 : 23) {
        let values = Array(sample.values[start..<end])
        let open = values.filter { $0 > -.infinity }
        let range = sample.values.withUnsafeBufferPointer {
          LogitKernels.range($0.baseAddress! + start, end - start)
        }
        #expect(range.highest == open.max() ?? -.infinity)
        #expect(range.survivors == open.count && !range.isBad)
        #expect(LogitKernels.lowest(values, values.count) == open.min() ?? .infinity)
        guard !open.isEmpty else { continue }
        #expect(
          LogitKernels.firstIndex(of: range.highest, values, values.count) == values.firstIndex(of: range.highest))
        let mean = open.reduce(0) { $0 + Double($1) } / Double(open.count)
        let variance = open.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(open.count)
        let deviation = LogitKernels.standardDeviation(values, values.count, survivors: open.count)
        #expect(abs(deviation - variance.squareRoot()) < 1e-5)
      }
    }
  }

  @Test("a NaN or +inf is seen wherever it stands", arguments: [Float.nan, .infinity])
  func bad(_ value: Float) {
    for place in 0..<50 {
      var values = [Float](repeating: -1, count: 50)
      values[place] = value
      #expect(LogitKernels.range(values, 50).isBad)
    }
  }

  @Test("indexes above a threshold rise and leave out masked ones", arguments: SampleLogits.all)
  func indexes(_ sample: SampleLogits) {
    var found = [Int32](repeating: 0, count: sample.count + 16)
    for threshold in [-Float.infinity, -2, 0, 1.5, .infinity] {
      let count = LogitKernels.indexes(&found, of: sample.values, sample.count, atLeast: threshold)
      let expected = sample.values.indices.filter {
        sample.values[$0] >= threshold && sample.values[$0] > -.infinity
      }
      #expect(found.prefix(count).map(Int.init) == expected)
    }
  }

  @Test("a target in the running sum finds its token", arguments: SampleLogits.few)
  func walk(_ sample: SampleLogits) {
    let reference = FilterReference(sample.values)
    let weights = reference.probabilities.map { Float($0) }
    let total = LogitKernels.sum(weights, weights.count)
    for step in 0...100 {
      let target = total * min(Double(step) / 100, 1 - 0x1p-53)
      let index = LogitKernels.index(of: target, in: weights, weights.count)
      let before = weights.prefix(index).reduce(0) { $0 + Double($1) }
      #expect(weights[index] > 0)
      #expect(before <= target + 1e-6 && before + Double(weights[index]) >= target - 1e-6)
    }
  }

  @Test("a cut is where sorting would cut, ties included", arguments: SampleLogits.all)
  func cuts(_ sample: SampleLogits) {
    let reference = FilterReference(sample.values)
    let ranked = reference.order.map { sample.values[$0] }
    var work = [Int32](repeating: 0, count: sample.count + 16)
    var histogram = [Double](repeating: 0, count: 4 * Selection.bucketCount)
    sample.values.withUnsafeBufferPointer { scores in
      let ranking = Selection.Ranking(
        scores: scores.baseAddress!, weights: nil, count: sample.count, population: nil)
      for target in [1, 2, 7, 33, 150, ranked.count] where target <= ranked.count {
        let cut = Selection.cut(ranking, target: Double(target), work: &work, histogram: &histogram)
        let score = ranked[target - 1]
        #expect(cut == Cut(score: score, ties: ranked.prefix(target).filter { $0 == score }.count))
      }
      #expect(
        Selection.cut(ranking, target: Double(ranked.count + 1), work: &work, histogram: &histogram) == nil)
    }
  }

  @Test("scores that no histogram can spread are sorted")
  func extremeScores() {
    var scores: [Float] = (0..<100).map { $0 % 2 == 0 ? Float.greatestFiniteMagnitude : -.greatestFiniteMagnitude }
    scores[50] = 0
    scores[51] = .leastNonzeroMagnitude
    var work = [Int32](repeating: 0, count: 116)
    var histogram = [Double](repeating: 0, count: 4 * Selection.bucketCount)
    scores.withUnsafeBufferPointer { scores in
      let ranking = Selection.Ranking(scores: scores.baseAddress!, weights: nil, count: 100, population: nil)
      #expect(
        Selection.cut(ranking, target: 50, work: &work, histogram: &histogram)
          == Cut(score: .leastNonzeroMagnitude, ties: 1))
    }
  }

  @Test("sorting gives falling scores and rising positions among equals", arguments: SampleLogits.all)
  func sorts(_ sample: SampleLogits) {
    var positions = sample.values.indices.map { Int32($0) }
    positions.withUnsafeMutableBufferPointer { Selection.sort($0, by: sample.values) }
    let expected = sample.values.indices.sorted {
      sample.values[$0] == sample.values[$1] ? $0 < $1 : sample.values[$0] > sample.values[$1]
    }
    #expect(positions.map(Int.init) == expected)
  }
}
