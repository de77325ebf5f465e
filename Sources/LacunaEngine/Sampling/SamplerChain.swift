/// Filters in the user's order, then one selector.
///
/// A value: a copy has its own state (a fork of the sequence takes a copy of the chain), whatever scripts' stages hold.
/// Memory for a vocabulary is allocated once and kept; drawing allocates nothing after that.
public struct SamplerChain {
  struct Filter {
    let name: String
    var runner: FilterRunner
    /// Of random numbers: the filter's place in the chain, from 1.
    let lane: Int
    /// Off where greedy decoding makes the stage useless: nothing after it can tell.
    var runs = true

    var isExternal: Bool { if case .external = runner { true } else { false } }
  }

  enum FilterRunner {
    case native(any FilterStage)
    case external(any ExternalStage)
  }

  public let vocabularySize: Int
  /// How many tokens were accepted.
  public private(set) var acceptedCount = 0
  var filters: [Filter] = []
  let selectorName: String
  /// One of the two is there.
  private var nativeSelector: (any SelectorStage)?
  private var externalSelector: (any ExternalStage)?
  /// Also says whether this value is a copy whose scripts' stages are still shared: see `makeUnique`.
  private(set) var scratch: SamplerScratch

  /// - Throws: `invalidArgument` naming the stage and parameter: unknown names (with the nearest valid one), values
  ///   out of range, no selector, two selectors, anything after the selector.
  public init(_ stages: [Stage], vocabularySize: Int, tokenizer: (any Tokenizer)? = nil) throws(LacunaError) {
    guard vocabularySize > 0, vocabularySize <= Int(TokenID.max) else {
      throw LacunaError(.invalidArgument, "sampler chain: expected a vocabulary of 1 or more, found \(vocabularySize)")
    }
    self.vocabularySize = vocabularySize
    let environment = StageEnvironment(vocabularySize: vocabularySize, tokenizer: tokenizer)
    let plan = try ChainPlan(stages, environment)
    filters = plan.filters
    selectorName = plan.selectorName
    nativeSelector = plan.nativeSelector
    externalSelector = plan.externalSelector
    scratch = SamplerScratch(vocabularySize: vocabularySize)
  }

  /// A chain that draws as `other` would, but for scripts' stages, which it leaves out: it changes nobody's state.
  init(shadowing other: SamplerChain) {
    vocabularySize = other.vocabularySize
    selectorName = other.selectorName
    scratch = SamplerScratch(vocabularySize: other.vocabularySize)
    shadow(other)
  }

  /// Takes over the state of the chain that it shadows; keeps its own memory.
  mutating func shadow(_ other: SamplerChain) {
    acceptedCount = other.acceptedCount
    filters = other.filters.contains { $0.isExternal } ? other.filters.filter { !$0.isExternal } : other.filters
    nativeSelector = other.nativeSelector ?? Greedy()
  }

  /// A chain of native stages.
  public init(
    _ stages: [StageDescription], vocabularySize: Int, tokenizer: (any Tokenizer)? = nil
  ) throws(LacunaError) {
    try self.init(stages.map { .native($0) }, vocabularySize: vocabularySize, tokenizer: tokenizer)
  }

  /// Draws a token from `logits` ([vocabSize]), which it may change. The draw is a pure function of the logits, the
  /// chain's state and the context's seed, stream and position.
  /// - Throws: `notFinite` naming the token for NaN and +inf, or when every token is masked; what a script throws.
  public mutating func sample(
    _ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext
  ) throws -> TokenID {
    try makeUnique()
    var candidates = Candidates(logits, scratch)
    _ = try candidates.range()
    for index in filters.indices where filters[index].runs {
      try filter(index, &candidates, context)
    }
    return try select(&candidates, context)
  }

  /// Records that `token` was appended to the sequence.
  public mutating func accept(_ token: TokenID) throws {
    try makeUnique()
    for filter in filters {
      if case .external(let stage) = filter.runner { try stage.accept(token) }
    }
    try externalSelector?.accept(token)
    nativeSelector?.accept(token)
    acceptedCount += 1
  }

  /// Back to the state after `count` accepted tokens.
  /// - Throws: `invalidArgument` beyond `acceptedCount`.
  public mutating func rewind(toAccepted count: Int) throws {
    guard count >= 0, count <= acceptedCount else {
      throw LacunaError(
        .invalidArgument, "sampler chain: rewind: expected 0...\(acceptedCount) accepted tokens, found \(count)")
    }
    guard count < acceptedCount else { return }
    try makeUnique()
    for filter in filters {
      if case .external(let stage) = filter.runner { try stage.rewind(toAccepted: count) }
    }
    try externalSelector?.rewind(toAccepted: count)
    nativeSelector?.rewind(toAccepted: count)
    acceptedCount = count
  }

  // MARK: Steps

  /// Runs the filter at `index`, and checks what a script's stage left.
  func filter(_ index: Int, _ candidates: inout Candidates, _ context: SamplingContext) throws {
    var context = context
    context.lane = filters[index].lane
    switch filters[index].runner {
    case .native(let stage):
      do throws(LacunaError) { try stage.apply(&candidates, context) } catch {
        throw located(error, filters[index].name)
      }
    case .external(let stage):
      let logits = candidates.makeDense()
      try stage.apply(logits, context)
      do throws(LacunaError) { try candidates.logitsChanged() } catch { throw located(error, filters[index].name) }
    }
  }

  mutating func select(_ candidates: inout Candidates, _ context: SamplingContext) throws -> TokenID {
    var context = context
    context.lane = 0
    if let externalSelector {
      let token = try externalSelector.pick(candidates.makeDense(), context)
      guard token >= 0, token < vocabularySize else {
        throw LacunaError(
          .invalidArgument,
          "sampler stage \"\(selectorName)\": expected a token in 0..<\(vocabularySize), found \(token)")
      }
      return token
    }
    do throws(LacunaError) {
      guard let token = try nativeSelector?.pick(&candidates, context) else { preconditionFailure("no selector") }
      return token
    } catch {
      throw located(error, selectorName)
    }
  }

  private func located(_ error: LacunaError, _ name: String) -> LacunaError {
    LacunaError(error.code, "sampler stage \"\(name)\": \(error.message)")
  }

  /// Gives a copied chain its own memory and its own forks of scripts' stages, before it first uses them.
  mutating func makeUnique() throws {
    guard !isKnownUniquelyReferenced(&scratch) else { return }
    var forked = filters
    for index in forked.indices {
      if case .external(let stage) = forked[index].runner { forked[index].runner = .external(try stage.fork()) }
    }
    externalSelector = try externalSelector?.fork()
    filters = forked
    scratch = SamplerScratch(vocabularySize: vocabularySize)
  }
}
