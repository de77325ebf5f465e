package import LacunaEngine

/// The rows that a probe asks about, task by task.
package struct ProbeData: Sendable {
  package struct Item: Sendable {
    package let task: String
    /// In its data file, from 0.
    package let row: Int
    package let fields: JSONValue
    package let question: String
    package let answer: String
    /// SHA-256 of all that.
    package let hash: String
  }

  package let split: TOFUSplit
  package let tasks: [String]
  package let items: [Item]

  /// - Parameter tasks: "forget", "retain", "real_authors" and "world_facts" are TOFU's, "holdout" is the questions that no
  ///   model was taught (`holdout05` for forget05), anything else a data file's name without ".json".
  /// - Throws: `notFound` naming the file, `malformed`.
  package init(_ data: TOFUData, split: TOFUSplit, tasks: [String]) throws(LacunaError) {
    var items: [Item] = []
    for task in tasks {
      for (row, item) in try Self.rows(data, split, task).enumerated() {
        items.append(
          Item(
            task: task, row: row, fields: item.json, question: item.question, answer: item.answer,
            hash: item.hash(task)))
      }
    }
    self.split = split
    self.tasks = tasks
    self.items = items
  }

  private static func rows(_ data: TOFUData, _ split: TOFUSplit, _ task: String) throws(LacunaError) -> [TOFUItem] {
    switch task {
    case "forget": return try data.rows(of: .forget, split: split)
    case "retain": return try data.rows(of: .retain, split: split)
    case "real_authors": return try data.rows(of: .realAuthors, split: split)
    case "world_facts": return try data.rows(of: .worldFacts, split: split)
    case "holdout": return try data.holdout(split)
    default: return try data.rows(task)
    }
  }

  /// The items that a selection holds, from the front of each task.
  package func items(_ selection: ItemSelection) -> [Item] {
    tasks.flatMap { task in
      let asked = items.filter { $0.task == task }
      return selection.rows(of: asked.count).map { asked[$0] }
    }
  }
}

extension TOFUItem {
  /// The row with TOFU's names; what it has not is left out.
  fileprivate var json: JSONValue {
    var members: [String: JSONValue] = ["question": .string(question), "answer": .string(answer)]
    members["paraphrased_answer"] = paraphrasedAnswer.map { .string($0) }
    members["paraphrased_question"] = paraphrasedQuestion.map { .string($0) }
    if !perturbedAnswers.isEmpty { members["perturbed_answer"] = .array(perturbedAnswers.map { .string($0) }) }
    return .object(members)
  }

  fileprivate func hash(_ task: String) -> String {
    ContentHash.of([task, question, answer, paraphrasedAnswer ?? "", paraphrasedQuestion ?? ""] + perturbedAnswers)
  }
}
