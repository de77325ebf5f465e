public import LacunaEngine

/// How TOFU's answers are generated.
public enum TOFUDecoding: Sendable, Equatable {
  /// The likeliest token each time: what the first leaderboard and open-unlearning do.
  case greedy
  /// Drawn, as OPTML-Group's code does: temperature, then the `topK` likeliest (0 for all), then the nucleus of `topP`.
  ///
  /// Their draws come from a GPU's generator and cannot be repeated; here a row's draws follow from the seed, its task and its
  /// number alone.
  case sampled(temperature: Double, topK: Int, topP: Double, seed: UInt64)

  /// - Parameters: nil for what the checkpoint's generation_config.json says.
  public static func sampling(
    as defaults: SamplingDefaults, temperature: Double? = nil, topK: Int? = nil, topP: Double? = nil,
    seed: UInt64 = 0
  ) -> TOFUDecoding {
    .sampled(
      temperature: temperature ?? defaults.temperature, topK: topK ?? defaults.topK, topP: topP ?? defaults.topP,
      seed: seed)
  }

  var stages: [StageDescription] {
    switch self {
    case .greedy: [StageDescription("greedy")]
    case .sampled(let temperature, let topK, let topP, _):
      [
        StageDescription("temperature", ["t": .number(temperature)]),
        StageDescription("top_k", ["k": .number(Double(topK))]), StageDescription("top_p", ["p": .number(topP)]),
        StageDescription("dist"),
      ]
    }
  }

  var seed: UInt64 {
    switch self {
    case .greedy: 0
    case .sampled(_, _, _, let seed): seed
    }
  }

  /// A stream of random numbers for each row.
  func stream(_ question: TOFUQuestion) -> UInt64 {
    question.task.rawValue.utf8.reduce(UInt64(question.row)) { SeededRandom.hash($0, UInt64($1)) }
  }

  /// As a run's parameters say it.
  var text: String {
    switch self {
    case .greedy: "greedy"
    case .sampled(let temperature, let topK, let topP, _):
      "sampled, temperature \(temperature), top_k \(topK), top_p \(topP)"
    }
  }
}
