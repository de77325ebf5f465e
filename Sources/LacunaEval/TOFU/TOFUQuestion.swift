public import LacunaEngine

/// A row of a task as it is put to a model.
public struct TOFUQuestion: Sendable, Equatable {
  public let task: TOFUTask
  /// In the task's data file, from 0.
  public let row: Int
  public let item: TOFUItem
  /// The most tokens to generate.
  public let newTokenLimit: Int

  /// What the model reads.
  public var prompt: String { Self.prompt(item) }

  static func prompt(_ item: TOFUItem) -> String { "[INST] \(item.question) [/INST]" }

  /// The answer, the right paraphrase (for questions with options the answer again), the wrong answers.
  public var answers: [String] {
    [item.answer, item.paraphrasedAnswer ?? item.answer] + item.perturbedAnswers
  }

  var hash: String { ContentHash.of([prompt, String(newTokenLimit)] + answers) }
}

extension TOFUQuestion {
  /// The questions of every task, in the order of the logs, as a profile wants them.
  ///
  /// How much may be generated depends on the neighbours of a question in its batch: the released code pads prompts on the
  /// left and limits the whole.
  /// - Parameter maxTokens: in place of the profile's limit.
  /// - Throws: `notFound`, `malformed` for data, also for a prompt that leaves an answer no room.
  public static func all(
    in data: TOFUData, split: TOFUSplit, profile: TOFUProfile, tokenizer: any Tokenizer, maxTokens: Int? = nil
  ) throws(LacunaError) -> [TOFUQuestion] {
    var questions: [TOFUQuestion] = []
    for task in TOFUTask.allCases {
      let part = try data.part(of: task, split: split)
      let items = part.items.prefix(profile.rowLimit ?? .max)
      let lengths = items.map { tokenizer.encode(prompt($0), bos: true, special: false).count }
      for (row, item) in items.enumerated() {
        guard lengths[row] < profile.sequenceLimit else {
          throw data.refusal(
            part, row, "question", expected: "a prompt of fewer than \(profile.sequenceLimit) tokens",
            found: "\(lengths[row])")
        }
        let batch = row / TOFUProfile.promptBatch * TOFUProfile.promptBatch
        let longest = lengths[batch..<min(batch + TOFUProfile.promptBatch, lengths.count)].max() ?? 0
        let limit = maxTokens ?? profile.newTokenLimit ?? profile.sequenceLimit - longest
        questions.append(TOFUQuestion(task: task, row: row, item: item, newTokenLimit: limit))
      }
    }
    return questions
  }
}
