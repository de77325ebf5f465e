import ArgumentParser
import LacunaScript

struct TraceOptions: ParsableArguments {
  @Flag(
    help: """
      Print a line on standard error for each token that session:generate and session:stream draw: its number, piece, \
      id, log-probability and time, then survivors and entropy (in nats) behind each stage.
      """)
  var trace = false

  func apply(to environment: inout ScriptEnvironment) {
    if trace { environment.trace = { printToStandardError("\(TraceLine(step: $0))") } }
  }
}
