import LacunaEngine

/// The middle of some values and how far they lie apart.
struct Spread {
  let median: Double
  let low: Double
  let high: Double
  let count: Int

  init(_ values: [Double]) {
    let sorted = values.sorted()
    count = sorted.count
    low = sorted.first ?? .nan
    high = sorted.last ?? .nan
    let middle = sorted.count / 2
    median = sorted.isEmpty ? .nan : sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// What a measurement gave in all rounds.
struct BenchResult {
  struct Sample {
    let seconds: Double
    /// The least seconds that the machine would need, by what it could do at that moment.
    let limit: Double?
    /// With the probes around it.
    let elapsed: Double
  }

  let measurement: any Measurement
  let samples: [Sample]

  var seconds: Spread { Spread(samples.map(\.seconds)) }

  /// Of what is possible, or allowed: 1 is all of it.
  var fraction: Double {
    switch measurement.bound {
    case .work: Spread(samples.compactMap { sample in sample.limit.map { $0 / sample.seconds } }).median
    case .budget(let budget): seconds.median / budget
    }
  }

  /// Seconds.
  var limit: Double {
    switch measurement.bound {
    case .work: Spread(samples.compactMap(\.limit)).median
    case .budget(let budget): budget
    }
  }

  var isBudget: Bool { if case .budget = measurement.bound { true } else { false } }
}

/// All results, as a table for people or as JSON.
struct BenchReport {
  /// Something that the machine can do.
  struct Capability {
    let name: String
    let title: String
    let unit: String
    let values: Spread
  }

  let machine: [Capability]
  let results: [BenchResult]

  func lines() -> [String] {
    var rows = [["", "median", "from", "to", "limit", "of it", "samples"]]
    for capability in machine {
      let scale = { (value: Double) in "\(significant(value / 1e9, 3)) G\(capability.unit)" }
      rows.append([
        capability.title, scale(capability.values.median), scale(capability.values.low),
        scale(capability.values.high), "", "", "\(capability.values.count)",
      ])
    }
    for result in results {
      let (unit, spread) = (result.measurement.unit, result.seconds)
      // The slowest sample is the lowest speed and the longest time.
      let (from, to) = unit == .tokens ? (spread.high, spread.low) : (spread.low, spread.high)
      rows.append([
        result.measurement.title, unit.text(spread.median), unit.text(from), unit.text(to),
        (result.isBudget ? "< " : "") + unit.text(result.limit), fixed(result.fraction, 2), "\(spread.count)",
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { $0.offset == 0 ? $0.element.padded(widths[0]) : $0.element.aligned(widths[$0.offset]) }
        .joined(separator: "  ")
    }
  }

  var json: JSON {
    .array(
      machine.map { capability in
        [
          "name": .string(capability.name), "unit": .string(capability.unit),
          "median": .number(capability.values.median), "low": .number(capability.values.low),
          "high": .number(capability.values.high), "samples": .integer(capability.values.count),
        ]
      }
        + results.map { result in
          let (unit, spread) = (result.measurement.unit, result.seconds)
          let ends = [unit.value(spread.low), unit.value(spread.high)].sorted()
          return [
            "name": .string(result.measurement.name), "unit": .string(unit.name),
            "median": .number(unit.value(spread.median)), "low": .number(ends[0]), "high": .number(ends[1]),
            "samples": .integer(spread.count), "limit": .number(unit.value(result.limit)),
            "limit_is_budget": .bool(result.isBudget), "fraction": .number(result.fraction),
          ]
        })
  }
}
