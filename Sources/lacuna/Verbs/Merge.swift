import ArgumentParser
import LacunaEval

struct Merge: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Join the parts of an evaluation.",
    discussion: """
        lacuna eval tofu ... --shard 1/2 --out part1.sqlite
        lacuna eval tofu ... --shard 2/2 --out part2.sqlite
        lacuna merge part1.sqlite part2.sqlite --out run.sqlite

      Parts must agree on model, weights, kernels, data and settings, and on every item that two of them hold.
      """)

  @Argument(help: ArgumentHelp("Parts of a run.", valueName: "files"))
  var parts: [String]

  @Option(help: ArgumentHelp("The whole run, a new file.", valueName: "file"))
  var out: String

  func run() throws {
    let whole = try ResultStore(path: ResultStore.inMemory, .create, name: out)
    for part in parts { try whole.merge(try ResultStore(path: part, .read)) }
    try whole.save(as: out)
    for shortfall in try whole.shortfalls() { printToStandardError("lacuna: warning: \(shortfall)") }
  }
}
