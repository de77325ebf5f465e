import ArgumentParser
import LacunaEngine

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tokens a second, beside the speed at which memory can be read.",
    discussion: """
        lacuna bench --shape llama-2-7b
        lacuna bench --model smollm2 --weights fp8

      Decoding reads every weight once a token, so the memory's read bandwidth bounds it: the last column says how \
      much of that bound is reached. A shape is a model with random FP8 weights; llama-2-7b takes 7 GB of memory.
      """)

  @OptionGroup var model: ModelOptions

  @Option(help: "Random weights of this shape instead of a model.")
  var shape: BenchShape?

  @Option(help: ArgumentHelp("Tokens to decode.", valueName: "n"))
  var tokens = 32

  @Option(help: ArgumentHelp("Tokens of the prompt.", valueName: "n"))
  var promptTokens = 128

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if !(1...4096).contains(tokens) { throw ValidationError("--tokens: expected 1 to 4096, found \(tokens)") }
    if !(1...4096).contains(promptTokens) {
      throw ValidationError("--prompt-tokens: expected 1 to 4096, found \(promptTokens)")
    }
  }

  func run() throws {
    let engine: Engine
    if let shape {
      engine = try shape.makeEngine(options: model.engineOptions)
    } else {
      engine = try model.load()
    }
    Interrupt.stopBetweenTokens()
    let bytes = engine.info.weightBytes.values.reduce(0, +)
    let bandwidth = try ReadBandwidth.measure(threadCount: engine.info.threadCount)
    let prefill = try measurePrefill(engine)
    let decode = try measureDecode(engine)
    // Of an untied model's embedding a token reads one row.
    let embedding = engine.config.tieWordEmbeddings ? 0 : engine.config.vocabSize * engine.config.hiddenSize * 2
    let bytesPerToken = max(bytes - embedding, 0)
    let share = decode * Double(bytesPerToken) / bandwidth

    var out = StandardOutput()
    if json {
      let record: JSON = [
        "model": .string(engine.info.name), "kernels": .string(engine.info.kernels),
        "threads": .integer(engine.info.threadCount), "weight_bytes": .integer(bytes),
        "decode_tokens_per_second": .number(decode), "prefill_tokens_per_second": .number(prefill),
        "prompt_tokens": .integer(promptTokens), "read_bytes_per_second": .number(bandwidth),
        "bandwidth_share": .number(share),
      ]
      try out.line(record.text)
    } else {
      try out.line(
        "\(engine.info.name): \(formatCount(engine.info.parameterCount)) weights, \(formatBytes(bytes)); "
          + "\(engine.info.kernels), \(engine.info.threadCount) threads")
      try out.line("  memory     \(formatBytes(Int(bandwidth)))/s read by all threads")
      try out.line("  prefill    \(significant(prefill, 3)) tokens/s, prompt of \(promptTokens)")
      try out.line(
        "  decode     \(significant(decode, 3)) tokens/s, \(formatBytes(bytesPerToken)) a token: "
          + "\(Int((share * 100).rounded()))% of the memory's speed")
    }
    try out.flush()
  }

  private func measurePrefill(_ engine: Engine) throws(LacunaError) -> Double {
    let ids = (0..<promptTokens).map { TokenID($0 * 7919 % engine.config.vocabSize) }
    var best = 0.0
    for _ in 0..<2 {
      let session = try engine.makeSession()
      session.observePrompt()
      try session.append(ids)
      let start = ContinuousClock.now
      _ = try session.logits()
      best = max(best, Double(promptTokens) / seconds(since: start))
    }
    return best
  }

  private func measureDecode(_ engine: Engine) throws(LacunaError) -> Double {
    let session = try engine.makeSession()
    // The first passes touch memory that nobody has touched before.
    for id in 0..<3 {
      try session.append(TokenID(id % engine.config.vocabSize))
      _ = try session.logits()
    }
    let start = ContinuousClock.now
    var count = 0
    while count < tokens, session.count < engine.contextLength, !Interrupt.isRequested {
      try session.append(TokenID(count * 104_729 % engine.config.vocabSize))
      _ = try session.logits()
      count += 1
    }
    if Interrupt.isRequested { throw LacunaError(.cancelled, "interrupted") }
    return Double(count) / seconds(since: start)
  }
}

/// Wall-clock seconds, never 0.
func seconds(since start: ContinuousClock.Instant) -> Double {
  let (whole, part) = (ContinuousClock.now - start).components
  return max(Double(whole) + Double(part) * 1e-18, 1e-9)
}
