import LacunaEngine

/// Takes every measurement once a round, and the machine's own speed right before and after each.
///
/// A machine's speed drifts by more than what is to be told apart. What is compared is measured side by side, and a
/// fraction is reckoned from neighbours in time.
struct BenchRun {
  /// A measurement that has taken so long is not repeated beyond `leastSamples`.
  private static let enoughSeconds = 20.0
  private static let leastSamples = 2

  private let measurements: [any Measurement]
  private let probe: MachineProbe?
  private let rounds: Int
  private var samples: [[BenchResult.Sample]]
  private var bandwidths: [Double] = []
  private var peaks: [Double] = []

  /// - Parameter probe: nil where no measurement has the machine for its bound.
  init(_ measurements: [any Measurement], probe: MachineProbe?, rounds: Int) {
    self.measurements = measurements
    self.probe = probe
    self.rounds = rounds
    samples = Array(repeating: [], count: measurements.count)
  }

  /// - Parameter beforeRound: called with the round's number, from 0.
  /// - Throws: `cancelled` after Ctrl-C, and what a measurement throws.
  mutating func run(beforeRound: (Int) throws -> Void = { _ in }) throws {
    let progress = ProgressLine("measuring")
    defer { progress.finish() }
    for round in 0..<rounds {
      try beforeRound(round)
      for (index, measurement) in measurements.enumerated() {
        if Interrupt.isRequested { throw LacunaError(.cancelled, "interrupted") }
        progress.update(Double(round * measurements.count + index) / Double(rounds * measurements.count))
        let taken = samples[index].reduce(0) { $0 + $1.elapsed }
        if taken > Self.enoughSeconds, samples[index].count >= Self.leastSamples { continue }
        samples[index].append(try sample(measurement))
      }
    }
  }

  private mutating func sample(_ measurement: any Measurement) throws -> BenchResult.Sample {
    let start = ContinuousClock.now
    guard case .work(let bytes, let operations) = measurement.bound, let probe else {
      let value = try measurement.sample()
      return BenchResult.Sample(seconds: value, limit: nil, elapsed: seconds(since: start))
    }
    let (bandwidthBefore, peakBefore) = (probe.bandwidth(), probe.arithmeticPeak())
    let value = try measurement.sample()
    let (bandwidthAfter, peakAfter) = (probe.bandwidth(), probe.arithmeticPeak())
    bandwidths += [bandwidthBefore, bandwidthAfter]
    peaks += [peakBefore, peakAfter]
    let limit = max(bytes / max(bandwidthBefore, bandwidthAfter), operations / max(peakBefore, peakAfter))
    return BenchResult.Sample(seconds: value, limit: limit, elapsed: seconds(since: start))
  }

  /// What was found, the machine first.
  var report: BenchReport {
    BenchReport(
      machine: probe.map { probe in
        [
          BenchReport.Capability(
            name: "memory", title: "memory, read by all threads (\(probe.fastest.name))", unit: "B/s",
            values: Spread(bandwidths)),
          BenchReport.Capability(
            name: "arithmetic", title: "arithmetic, \(probe.arithmeticName) on all threads", unit: "FLOP/s",
            values: Spread(peaks)),
        ]
      } ?? [],
      results: zip(measurements, samples).map { BenchResult(measurement: $0, samples: $1) })
  }
}
