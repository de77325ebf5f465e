import ArgumentParser
import LacunaEngine

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What this machine and this installation offer, and what is wrong with them.",
    discussion: """
      Shows the processor's features and the kernels that they allow, memory, the linked Lua and its known bugs, \
      the models with the beginnings of their SHA-256, plugins (those that are broken, shadowed or not trusted, and \
      calls that their manifests do not grant), and whether what editors complete from fits this version. Exits with 1 \
      if something keeps Lacuna from working.
      """)

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let report = HealthReport()
    var out = StandardOutput()
    if json {
      try out.line(report.json.indentedText)
    } else {
      for check in report.checks {
        let mark =
          switch check.verdict {
          case .fine: "ok  "
          case .warning: "warn"
          case .failure: "FAIL"
          }
        try out.line("\(mark)  \(check.name.padded(10))  \(check.finding)")
        if let advice = check.advice { try out.line("\("".padded(18))\(advice)") }
      }
    }
    try out.flush()
    if report.checks.contains(where: { $0.verdict == .failure }) { throw ExitCode.failure }
  }
}
