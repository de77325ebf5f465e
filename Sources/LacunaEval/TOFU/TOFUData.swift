public import LacunaEngine

/// A folder of TOFU's data files, as Hugging Face ships them or in the same layout.
public struct TOFUData: Sendable {
  /// Where the files lie.
  public let directory: String
  private static let fileByteLimit = 1 << 28
  /// Rows of TOFU's own `full.json`.
  private static let publishedCount = 4000

  /// - Parameter path: the folder of the files, or a data set's folder in a cache of the Hugging Face hub.
  /// - Throws: `notFound` if there are no data files.
  public init(_ path: String) throws(LacunaError) {
    let marker = TOFUTask.retain.fileName(.forget10) + ".json"
    guard isDirectory(path) else {
      throw LacunaError(
        .notFound, "\(path): expected a folder of data files, found \(fileExists(path) ? "a file" : "nothing")")
    }
    var candidates = [path]
    for revision in (try? directoryEntries("\(path)/snapshots")) ?? [] {
      candidates.append("\(path)/snapshots/\(revision)")
    }
    guard let found = candidates.first(where: { fileExists("\($0)/\(marker)") }) else {
      throw LacunaError(.notFound, "\(path): expected TOFU's data files, found no \(marker)")
    }
    directory = found
  }

  /// All rows of a file.
  /// - Parameter name: without ".json".
  /// - Throws: `notFound`, `malformed`.
  public func rows(_ name: String) throws(LacunaError) -> [TOFUItem] {
    let path = file(name)
    return try TOFUItem.read(try readFile(path, limit: Self.fileByteLimit), file: path)
  }

  /// The rows that a task asks about, checked: the fields that the task needs, how many rows there are, and that they
  /// are the rows of the plain files, where those are there.
  public func rows(of task: TOFUTask, split: TOFUSplit) throws(LacunaError) -> [TOFUItem] {
    try part(of: task, split: split).items
  }

  /// As many questions as a split has that no model was taught.
  package func holdout(_ split: TOFUSplit) throws(LacunaError) -> [TOFUItem] {
    try part(of: split, \.holdoutName).items
  }

  /// Rows at the end of a file.
  struct Part {
    /// The file, without ".json".
    let name: String
    /// Of the file's rows the first one.
    var first = 0
    var items: [TOFUItem]
  }

  func part(of task: TOFUTask, split: TOFUSplit) throws(LacunaError) -> Part {
    let part =
      task == .forget
      ? try part(of: split) { task.fileName($0) }
      : Part(name: task.fileName(split), items: try rows(task.fileName(split)))
    try checkFields(of: part, task)
    try checkCount(of: part, task, split)
    switch task {
    case .retain: try check(part, isStartOf: "full")
    case .forget: try check(part, isStartOf: split.rawValue)
    case .realAuthors: try check(part, isStartOf: "real_authors")
    case .worldFacts: try check(part, isStartOf: "world_facts")
    }
    return part
  }

  /// - Parameter row: in the part, from 0.
  func refusal(_ part: Part, _ row: Int, _ field: String? = nil, expected: String, found: String) -> LacunaError {
    LacunaError(
      .malformed, file: file(part.name), field: "row \(part.first + row)" + (field.map { ": \($0)" } ?? ""),
      expected: expected, found: found)
  }

  /// Splits that the folder has questions for.
  public var splits: [TOFUSplit] {
    TOFUSplit.allCases.filter { fileExists(file(TOFUTask.forget.fileName($0))) }
  }

  /// forget05, as on the model cards, or the first that there is.
  /// - Throws: `notFound` if there is none.
  public func defaultSplit() throws(LacunaError) -> TOFUSplit {
    let splits = splits
    guard let split = splits.contains(.forget05) ? .forget05 : splits.first else {
      throw LacunaError(
        .notFound, "\(directory): expected a file like \(TOFUTask.forget.fileName(.forget05)).json, found none")
    }
    return split
  }

  /// Every data file in the folder with its count of rows, sorted by name.
  public func files() throws(LacunaError) -> [(name: String, rowCount: Int)] {
    var files: [(name: String, rowCount: Int)] = []
    for name in try directoryEntries(directory) where name.hasSuffix(".json") {
      files.append((name, try rows(String(name.dropLast(5))).count))
    }
    return files
  }

  /// Copies every data file into a new folder, which appears whole or not at all.
  /// - Throws: `invalidArgument` if something of that name exists, `resource`.
  public func copy(to destination: String) throws(LacunaError) {
    let staged = try StagedDirectory(destination: destination)
    for (name, _) in try files() {
      let bytes = try readFile("\(directory)/\(name)", limit: Self.fileByteLimit)
      try OutputFile.write(bytes, to: "\(staged.path)/\(name)")
    }
    try staged.commit()
  }

  private func file(_ name: String) -> String { "\(directory)/\(name).json" }

  /// A split's rows in files of this kind. Splits are ends of each other: where a file is missing, a larger split's holds its rows.
  private func part(of split: TOFUSplit, _ name: (TOFUSplit) -> String) throws(LacunaError) -> Part {
    let larger = TOFUSplit.allCases.first { $0.percent > split.percent && fileExists(file(name($0))) }
    guard !fileExists(file(name(split))), let larger else {
      return Part(name: name(split), items: try rows(name(split)))
    }
    let all = try rows(name(larger))
    let count = all.count * split.percent / larger.percent
    return Part(name: name(larger), first: all.count - count, items: all.suffix(count))
  }

  private func checkFields(of part: Part, _ task: TOFUTask) throws(LacunaError) {
    for (row, item) in part.items.enumerated() {
      if item.perturbedAnswers.count != task.wrongAnswerCount {
        throw refusal(
          part, row, "perturbed_answer", expected: "\(task.wrongAnswerCount) wrong answers",
          found: "\(item.perturbedAnswers.count)")
      }
      if !task.isChoice, item.paraphrasedAnswer?.isEmpty != false {
        throw refusal(part, row, "paraphrased_answer", expected: "a text", found: "none")
      }
    }
  }

  /// Counts follow those of `full.json`: what is forgotten is its last percents. Without it they must be TOFU's own.
  private func checkCount(of part: Part, _ task: TOFUTask, _ split: TOFUSplit) throws(LacunaError) {
    let full = fileExists(file("full")) ? try self.rows("full").count : Self.publishedCount
    let expected: Int
    switch task {
    case .forget: expected = full * split.percent / 100
    case _ where full != Self.publishedCount: return
    case .retain: expected = 400
    case .realAuthors: expected = 100
    case .worldFacts: expected = 117
    }
    guard part.items.count == expected else {
      throw LacunaError(
        .malformed, file: file(part.name), field: "rows", expected: "\(expected)", found: "\(part.items.count)")
    }
  }

  private func check(_ part: Part, isStartOf other: String) throws(LacunaError) {
    guard fileExists(file(other)) else { return }
    let others = try self.rows(other)
    guard part.items.count <= others.count else {
      throw LacunaError(
        .malformed, file: file(part.name), field: "rows", expected: "at most the \(others.count) of \(other).json",
        found: "\(part.items.count)")
    }
    for (row, (item, plain)) in zip(part.items, others).enumerated()
    where item.question != plain.question || item.answer != plain.answer {
      throw refusal(
        part, row, expected: "the question and answer of \(other).json", found: "\"\(item.question.clipped)\"")
    }
  }
}
