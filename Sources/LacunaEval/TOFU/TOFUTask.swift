/// The four parts of a TOFU evaluation (Maini et al. 2024), in the order of the published logs.
public enum TOFUTask: String, Sendable, CaseIterable {
  case retain = "eval_log"
  case realAuthors = "eval_real_author_wo_options"
  case worldFacts = "eval_real_world_wo_options"
  case forget = "eval_log_forget"

  /// The task's member in an aggregated log, and its own file's name.
  public var logName: String { rawValue + ".json" }

  /// As published tables call it.
  public var title: String {
    switch self {
    case .retain: "Retain"
    case .realAuthors: "Real Authors"
    case .worldFacts: "Real World"
    case .forget: "Forget"
    }
  }

  /// The data file, without ".json".
  public func fileName(_ split: TOFUSplit) -> String {
    switch self {
    case .retain: "retain_perturbed"
    case .realAuthors: "real_authors_perturbed"
    case .worldFacts: "world_facts_perturbed"
    case .forget: "\(split.rawValue)_perturbed"
    }
  }

  /// Whether the wrong answers are the options of a question with one right one: such rows have no paraphrase, and
  /// the right answer's probability is its share of all options'.
  public var isChoice: Bool { self == .realAuthors || self == .worldFacts }

  /// Wrong answers to each question.
  public var wrongAnswerCount: Int { isChoice ? 3 : 5 }

  /// What counts towards model utility.
  public static let utilityTasks: [TOFUTask] = [.realAuthors, .worldFacts, .retain]
}

/// Which authors were to be forgotten.
public enum TOFUSplit: String, Sendable, CaseIterable {
  case forget01, forget05, forget10

  /// The share of the full data, in percent; the last rows of it.
  public var percent: Int {
    switch self {
    case .forget01: 1
    case .forget05: 5
    case .forget10: 10
    }
  }

  /// The file of as many questions of the same kind that no model was taught, without ".json".
  public var holdoutName: String { "holdout" + rawValue.suffix(2) }
}
