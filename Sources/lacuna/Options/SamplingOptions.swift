import ArgumentParser
import LacunaEngine
import LacunaScript

/// How tokens are drawn.
struct SamplingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("0 takes the most probable token every time (default: 0.8).", valueName: "t"))
  var temperature: Double?

  @Option(help: ArgumentHelp("Keep the k most probable tokens.", valueName: "k"))
  var topK: Int?

  @Option(help: ArgumentHelp("Keep the fewest tokens that hold p of the probability (default: 0.95).", valueName: "p"))
  var topP: Double?

  @Option(help: ArgumentHelp("Keep tokens at least p times as probable as the best (default: 0.05).", valueName: "p"))
  var minP: Double?

  @Option(help: ArgumentHelp("Make tokens that have occurred less probable (1 leaves them alone).", valueName: "x"))
  var repetitionPenalty: Double?

  @Option(
    help: ArgumentHelp(
      """
      A stage of a chain that replaces the options above, native (`lacuna doc stages`) or a plugin's: min_p:p=0.1. \
      Several run in that order; without a selector at the end, dist draws.
      """,
      valueName: "stage"))
  var sampler: [String] = []

  @Option(help: ArgumentHelp("The same seed gives the same text.", valueName: "n"))
  var seed: UInt64 = 0

  /// One of the options that stand for a chain, where one is given.
  var shorthand: String? {
    let given: [(String, Bool)] = [
      ("--temperature", temperature != nil), ("--top-k", topK != nil), ("--top-p", topP != nil),
      ("--min-p", minP != nil), ("--repetition-penalty", repetitionPenalty != nil),
    ]
    return given.first(where: \.1)?.0
  }

  func validate() throws {
    if !sampler.isEmpty, let name = shorthand {
      throw ValidationError("--sampler replaces \(name); give one of the two")
    }
  }

  /// - Throws: as `PluginRegistry.chain`.
  func makeChain(for engine: Engine, _ registry: PluginRegistry) throws -> SamplerChain {
    try registry.chain(try stages(), for: engine)
  }

  /// - Throws: `invalidArgument` for what cannot be read.
  func stages() throws(LacunaError) -> [StageDescription] {
    guard sampler.isEmpty else { return try SamplerChain.parse(sampler.joined(separator: " ")) }
    return SamplerChain.default(
      temperature: temperature ?? 0.8, topK: topK, topP: topP ?? 0.95, minP: minP ?? 0.05,
      repetition: repetitionPenalty)
  }
}

/// How a generation may guess ahead. It never changes the text.
struct SpeculationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Guess with a smaller model of the same vocabulary; the text stays the same.", valueName: "model"))
  var draft: String?

  @Option(
    name: .customLong("lookup"), defaultAsFlag: 3,
    help: ArgumentHelp(
      "Guess what followed the last n tokens where they occurred before (default: 3); the text stays the same.",
      valueName: "n"))
  var lookup: Int?

  @Option(help: ArgumentHelp("Always guess so many tokens (default: what pays).", valueName: "n"))
  var draftTokens: Int?

  func validate() throws {
    if draftTokens != nil, draft == nil, lookup == nil {
      throw ValidationError("--draft-tokens goes with --draft or --lookup")
    }
  }

  /// - Parameter model: the options that the draft model is run with, too.
  func make(for engine: Engine, _ model: ModelOptions) throws(LacunaError) -> Speculation? {
    guard draft != nil || lookup != nil else { return nil }
    var drafter: Engine?
    if let draft { drafter = try ModelOptions.load(try ModelChoice.resolve(draft), options: model.engineOptions) }
    return try Speculation(
      engine: engine, options: Speculation.Options(lookup: lookup, draft: drafter, guessCount: draftTokens))
  }
}
