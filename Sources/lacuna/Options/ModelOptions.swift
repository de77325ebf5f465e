// Public: the engine's own types become arguments.
public import ArgumentParser
public import LacunaEngine

/// Which model, and how it is run: the same words on every verb that loads one.
struct ModelOptions: ParsableArguments {
  @Option(name: [.short, .long], help: "A known name (see `lacuna models`), a directory or a GGUF file.")
  var model = Self.standardModel

  @Option(
    help: """
      How weights are run: as they are stored, rounded to bfloat16, or quantized to FP8 (fp8, fp8-tensor); e5m2, int8 and \
      int4 are rounded to these formats and run in bfloat16.
      """)
  var weights: WeightChoice = .stored

  @Option(help: ArgumentHelp("With --weights fp8: the output head in bf16 or in fp8.", valueName: "type"))
  var lmHead: HeadType = .bf16

  @Option(help: "Arithmetic: bfloat16 products, or float32 throughout (slow, for comparison).")
  var precision: Engine.Precision = .fast

  @Option(help: ArgumentHelp("Threads (default: one for each physical core).", valueName: "n"))
  var threads: Int?

  @Option(help: ArgumentHelp("Keys and values in memory (default: bf16; f32 with --precision f32).", valueName: "type"))
  var kv: Engine.KVType?

  enum HeadType: String, ExpressibleByArgument, CaseIterable {
    case bf16, fp8
  }

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads: expected 1 to 256, found \(threads)")
    }
    if lmHead == .fp8, weights != .fp8 {
      throw ValidationError("--lm-head fp8 goes with --weights fp8, found --weights \(weights.rawValue)")
    }
  }

  /// The first of these options that has another value than its default.
  var given: String? {
    let options: [(String, Bool)] = [
      ("--model", model != Self.standardModel), ("--weights", weights != .stored), ("--lm-head", lmHead != .bf16),
      ("--precision", precision != .fast), ("--threads", threads != nil), ("--kv", kv != nil),
    ]
    return options.first(where: \.1)?.0
  }

  private static let standardModel = "demo"

  /// The engine's options, without progress.
  var engineOptions: Engine.Options {
    var options = Engine.Options()
    options.weights = weights
    options.quantizesHead = lmHead == .fp8
    options.precision = precision
    options.kvType = kv
    options.threadCount = threads
    return options
  }

  func load() throws(LacunaError) -> Engine {
    try Self.load(try ModelChoice.resolve(model), options: engineOptions)
  }

  static func load(_ entry: ModelRegistry.Entry, options: Engine.Options) throws(LacunaError) -> Engine {
    let progress = ProgressLine("loading \(entry.name)")
    defer { progress.finish() }
    var options = options
    options.progress = { progress.update($0) }
    let engine = try Engine.load(path: entry.path, name: entry.name, options: options)
    progress.finish()
    if let first = engine.info.warnings.first {
      let more = engine.info.warnings.count - 1
      printToStandardError("lacuna: warning: \(first)" + (more > 0 ? "; `lacuna inspect` shows \(more) more" : ""))
    }
    return engine
  }
}

extension WeightChoice: ExpressibleByArgument {}
extension Engine.Precision: ExpressibleByArgument {}
extension Engine.KVType: ExpressibleByArgument {}

extension Engine {
  /// The tokenizer, for work that cannot do without one.
  /// - Throws: `unsupported` naming the model.
  func requireTokenizer(_ purpose: String) throws(LacunaError) -> any Tokenizer {
    guard let tokenizer else {
      throw LacunaError(.unsupported, "\(info.path): \(purpose) needs a tokenizer, and this checkpoint has none")
    }
    return tokenizer
  }
}
