import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Whose rules an evaluation follows. They differ in details that move the figures; parts of two must not be mixed.
public struct TOFUProfile: Sendable, Equatable {
  public enum Name: String, Sendable, CaseIterable {
    /// As the papers and model cards of SimNPO and NPO were made (OPTML-Group's Unlearn-Simple). The default.
    case paper
    /// As the first leaderboard was made (locuslab/tofu).
    case leaderboard
    /// As locuslab's open-unlearning does it now.
    case open
  }

  public let name: Name
  /// Rows used of each task, from the first; nil for all.
  public let rowLimit: Int?
  /// Tokens of prompt and answer together, beyond which answers are cut and lose their EOS.
  public let sequenceLimit: Int
  /// Added to denominators.
  public let epsilon: Double
  /// nil: what `sequenceLimit` leaves behind the longest prompt of each `promptBatch` consecutive rows.
  public let newTokenLimit: Int?
  public static let promptBatch = 30

  public init(_ name: Name) {
    self.name = name
    rowLimit = name == .open ? nil : 300
    sequenceLimit = name == .open ? 512 : 200
    epsilon = name == .open ? 1e-10 : 0
    newTokenLimit = name == .open ? 200 : nil
  }
}

/// How the truth ratio weighs several wrong answers against the right one.
public enum TruthRatio: String, Sendable, CaseIterable {
  /// By the geometric mean of their probabilities: exp of the mean loss. The published figures.
  case geometric
  /// By the arithmetic mean.
  case arithmetic
  /// The right answer's share of its probability and the geometric mean, as open-unlearning has it under this name.
  case probMean = "prob_mean"

  /// What the forget-quality test compares: right over wrong, above 1 for who prefers the truth (for `probMean`, and with
  /// an epsilon, which is only defined for wrong over right, that column).
  /// - Parameters:
  ///   - right: loss per token of the right paraphrase.
  ///   - wrong: losses per token of the wrong answers.
  public func column(right: Double, wrong: [Double], epsilon: Double = 0) -> Double {
    switch self {
    case .geometric where epsilon == 0: exp(Statistics.mean(wrong) - right)
    case .geometric: exp(-Statistics.mean(wrong)) / (exp(-right) + epsilon)
    case .arithmetic where epsilon == 0: exp(-right) / Statistics.mean(wrong.map { exp(-$0) })
    case .arithmetic: Statistics.mean(wrong.map { exp(-$0) }) / (exp(-right) + epsilon)
    case .probMean: exp(-right) / (exp(-right) + exp(-Statistics.mean(wrong)) + epsilon)
    }
  }

  /// One row's contribution to a task's truth ratio: near 1 for a good model of what is kept, and for one that cannot
  /// tell the truth from its variations of what is to be forgotten.
  public func score(_ column: Double, forgets: Bool, epsilon: Double = 0) -> Double {
    if self == .probMean { return column }
    if epsilon > 0 { return forgets ? min(column, 1 / (column + epsilon)) : max(0, 1 - column) }
    return forgets ? min(column, 1 / column) : max(0, 1 - 1 / column)
  }
}
