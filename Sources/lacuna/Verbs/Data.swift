import ArgumentParser
import LacunaEngine
import LacunaEval

struct DataVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Check a folder of evaluation data, or copy the one that ships with Lacuna.",
    discussion: """
        lacuna data demo               what is in it
        lacuna data demo --out mine    a copy, in the layout of TOFU's files
        lacuna data ./TOFU             checks fields, counts and how files agree
      """)

  @Argument(help: "A folder of TOFU's files, or \"demo\".")
  var data: String

  @Option(help: ArgumentHelp("Copy the files into this new folder.", valueName: "folder"))
  var out: String?

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let data = try TOFUData(try DataChoice.resolve(data))
    var files: [(key: String, value: JSON)] = []
    for file in try data.files() { files.append((file.name, .integer(file.rowCount))) }
    for split in data.splits {
      for task in TOFUTask.allCases { _ = try data.rows(of: task, split: split) }
    }
    if let out { try data.copy(to: out) }
    var output = StandardOutput()
    if json {
      let record: JSON = ["directory": .string(data.directory), "rows": .object(files)]
      try output.line(record.text)
    } else {
      try output.line(data.directory)
      for (name, count) in files {
        if case .integer(let count) = count { try output.line("  \(name.padded(28))\(String(count).aligned(6)) rows") }
      }
    }
    try output.flush()
  }
}
