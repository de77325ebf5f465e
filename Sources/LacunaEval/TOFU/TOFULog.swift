/// What was measured of one row of a task.
public struct TOFURow: Sendable, Equatable {
  /// A loss summed over `count` tokens (EOS included) and divided by it; natural logarithms.
  public struct Loss: Sendable, Equatable {
    public var average: Double
    /// nil where a log does not say.
    public var count: Int?

    public init(average: Double, count: Int? = nil) {
      self.average = average
      self.count = count
    }
  }

  public struct Generated: Sendable, Equatable {
    public var prompt: String
    public var text: String
    public var reference: String

    public init(prompt: String, text: String, reference: String) {
      self.prompt = prompt
      self.text = text
      self.reference = reference
    }
  }

  /// The row in its data file, from 0.
  public var index: Int
  public var answer: Loss
  /// The right paraphrase; for questions with options the answer again.
  public var paraphrase: Loss
  public var perturbed: [Loss]
  public var rouge1Recall: Double
  public var rougeLRecall: Double
  public var generated: Generated?

  public init(
    index: Int, answer: Loss, paraphrase: Loss, perturbed: [Loss], rouge1Recall: Double, rougeLRecall: Double,
    generated: Generated? = nil
  ) {
    self.index = index
    self.answer = answer
    self.paraphrase = paraphrase
    self.perturbed = perturbed
    self.rouge1Recall = rouge1Recall
    self.rougeLRecall = rougeLRecall
    self.generated = generated
  }
}

/// An evaluation as the published logs hold it: the rows of each task, in the order of the data.
public struct TOFULog: Sendable, Equatable {
  /// What messages call it.
  public let name: String
  public var tasks: [TOFUTask: [TOFURow]]

  public init(name: String, tasks: [TOFUTask: [TOFURow]]) {
    self.name = name
    self.tasks = tasks
  }
}
