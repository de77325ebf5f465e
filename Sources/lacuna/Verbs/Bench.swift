import ArgumentParser
import LacunaEngine

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "How fast everything is, beside what this machine can do at best.",
    discussion: """
        lacuna bench --shape llama-2-7b
        lacuna bench --shape llama-2-7b --only decode prefill-512
        lacuna bench --model smollm2 --weights fp8 --json

      Everything is measured once a round; the table shows medians and extremes. Beside every figure stands its \
      limit: the bytes that must be read over the bandwidth, or the operations over the peak, whichever takes longer, \
      both measured right before and after it with the same threads on the same weights. Where the machine sets no \
      limit worth naming, "<" marks a budget of our own. "of it" is 1.00 for all that is possible, or all that is \
      allowed.

      A shape is a model with random FP8 weights in memory; llama-2-7b takes 7 GB, and some GB of keys and values. \
      ttft and resident, which are measured on request only, write such a checkpoint to the cache folder first.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "Random weights of this shape instead of a model.")
  var shape: BenchShape?

  @Option(help: ArgumentHelp("With --shape: only so many layers.", valueName: "n"))
  var layers: Int?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Measure only these: decode, prefill, batch, parallel, fork, rewind, sampler, lua, grammar, ttft, resident, or one "
        + "of them with its number (decode-512).", valueName: "name"))
  var only: [String] = []

  @Option(help: ArgumentHelp("How often everything is measured; what takes long, less often.", valueName: "n"))
  var rounds = 5

  @Flag(
    help: ArgumentHelp(
      "Wait for a line on standard input before each round, and print each round's figures as a line of JSON."))
  var paced = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if !(1...1000).contains(rounds) { throw ValidationError("--rounds: expected 1 to 1000, found \(rounds)") }
    if let layers, !(1...1000).contains(layers) {
      throw ValidationError("--layers: expected 1 to 1000, found \(layers)")
    }
    if layers != nil, shape == nil { throw ValidationError("--layers goes with --shape") }
  }

  func run() throws {
    let plan = try BenchPlan(only: only, hasDirectory: shape != nil)
    Interrupt.stopBetweenTokens()
    let engine = plan.needsModel ? try makeEngine() : nil
    let subject = engine.map { BenchSubject(engine: $0, deepest: plan.deepest) }
    let measurements = try plan.measurements(
      subject: subject, directory: shape.map(BenchDirectory.init), options: model.engineOptions)
    let probe = engine.map(MachineProbe.init)
    if paced { return try runPaced(measurements, probe) }
    var run = BenchRun(measurements, probe: probe, rounds: rounds)
    try run.run()
    try show(run.report, engine)
  }

  private func makeEngine() throws -> Engine {
    if let shape { return try shape.makeEngine(layers: layers, options: model.engineOptions) }
    return try model.load()
  }

  /// For a script that lets another program measure between two rounds.
  private func runPaced(_ measurements: [any Measurement], _ probe: MachineProbe?) throws {
    var out = StandardOutput()
    while readLine() != nil {
      var run = BenchRun(measurements, probe: probe, rounds: 1)
      try run.run()
      try out.line(run.report.json.text)
      try out.flush()
    }
  }

  private func show(_ report: BenchReport, _ engine: Engine?) throws {
    var out = StandardOutput()
    let weightBytes = engine?.info.weightBytes.values.reduce(0, +) ?? 0
    if json {
      try out.line(
        JSON.object([
          ("model", JSON(engine?.info.name)), ("kernels", JSON(engine?.info.kernels)),
          ("threads", engine.map { .integer($0.info.threadCount) } ?? .null), ("weight_bytes", .integer(weightBytes)),
          ("rounds", .integer(rounds)), ("results", report.json),
        ]).text)
    } else {
      if let info = engine?.info {
        try out.line(
          "\(info.name): \(formatCount(info.parameterCount)) weights, \(formatBytes(weightBytes)); \(info.kernels), "
            + "\(info.threadCount) threads\n")
      }
      for line in report.lines() { try out.line(line) }
    }
    try out.flush()
  }
}
