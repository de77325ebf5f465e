/// A generation in progress: draws tokens from a session, one `next()` at a time.
///
/// The session may be read between two calls and must not be changed.
public struct Generation {
  public struct Options {
    /// nil: until the model ends its answer or its context is full.
    public var maxTokens: Int?
    /// Text that ends the generation; it is not part of the result.
    public var stop: [String] = []
    public var seed: UInt64 = 0
    /// Different streams draw different tokens under one seed.
    public var stream: UInt64 = 0
    /// How many of the likeliest tokens each event reports.
    public var alternatives = 0
    /// Called with the scratch logits, [vocabSize], before the sampler chain, and the number of tokens drawn so far.
    public var onLogits: ((UnsafeMutableBufferPointer<Float>, Int) throws -> Void)?
    /// Called before each draw with what the chain will see. A copy of the chain that outlives the call costs a copy of
    /// its memory.
    public var onDraw: ((UnsafeBufferPointer<Float>, SamplerChain, SamplingContext) throws -> Void)?
    /// Called with the chosen token and its log-probability under the model's own logits; also for one that ends the
    /// answer.
    public var onToken: ((TokenID, Float) throws -> TokenDecision)?
    /// Called with whole UTF-8 text; what it returns is emitted instead.
    public var onText: ((String) throws -> String)?
    /// Holds the text to a grammar: what may not come next is masked before the sampler chain, and the generation ends
    /// when nothing may follow.
    public var grammar: Grammar?
    /// Computes logits ahead of their tokens; changes no token.
    public var speculation: Speculation?
    /// Looked at once a token.
    public var isCancelled: (() -> Bool)?

    public init() {}
  }

  public enum TokenDecision: Equatable, Sendable {
    case keep
    case replace(TokenID)
    case stop
    /// Drops the chosen token and the last `n` generated before it, and goes on from there with other random numbers.
    case rewind(Int)
  }

  public enum Finish: String, Sendable {
    /// The model ended its answer.
    case eos
    /// A stop text, or a hook.
    case stop
    /// `maxTokens` were drawn.
    case length
    /// The text is whole by its grammar.
    case grammar
    /// The model's context is full.
    case context
    /// The caller asked to stop.
    case cancelled
  }

  public struct Event: Sendable {
    /// nil in an event that only carries held-back text, a rewind or the finish.
    public var token: TokenID?
    public var logProbability: Float = 0
    /// Whether the grammar left this token only, so that nothing was drawn.
    public var isForced = false
    /// Likeliest first; as many as were asked for.
    public var alternatives: [(token: TokenID, logProbability: Float)] = []
    /// Whole UTF-8; empty while a character is incomplete or a stop text may be under way.
    public var text = ""
    /// How many tokens, counted from the last, a hook took back: their events are void.
    public var takenBack = 0
    /// Set on the last event only.
    public var finish: Finish?
  }

  public let session: Session
  public let promptCount: Int
  /// The last event's reason, once there was one.
  public private(set) var finish: Finish?
  public private(set) var chain: SamplerChain
  private let options: Options
  private var text: TextStream
  /// The text's state before each generated token, for rewinds.
  private var textBefore: [TextStream] = []
  private var matcher: GrammarMatcher?
  /// The grammar's state before each generated token.
  private var matcherBefore: [GrammarMatcher] = []
  private var rewinds: UInt64 = 0
  /// Of `options.speculation`, before this generation.
  private let tallyBefore: Speculation.Tally
  private let scratch: LogitsBuffer
  /// Control tokens among the stop texts: they have no text to be found in.
  private let stopTokens: Set<TokenID>

  /// Rewinds beyond this many are taken for a hook that never lets go.
  private static let rewindLimit: UInt64 = 10_000

  /// - Throws: `invalidArgument` for an empty session, and for a speculation over another engine.
  public init(session: Session, chain: SamplerChain, options: Options = Options()) throws(LacunaError) {
    guard session.count > 0 else {
      throw LacunaError(.invalidArgument, "an empty session cannot generate: append a prompt first")
    }
    if let speculation = options.speculation, speculation.engine !== session.engine {
      throw LacunaError(
        .invalidArgument,
        "speculation: expected one for \(session.engine.info.name), found one for \(speculation.engine.info.name)")
    }
    tallyBefore = options.speculation?.tally ?? Speculation.Tally()
    self.session = session
    self.chain = chain
    self.options = options
    promptCount = session.count
    text = TextStream(tokenizer: session.engine.tokenizer, stops: options.stop)
    stopTokens = Self.controlTokens(options.stop, session.engine.tokenizer)
    scratch = try LogitsBuffer(count: session.engine.config.vocabSize)
    if let grammar = options.grammar { matcher = try GrammarMatcher(grammar, engine: session.engine) }
  }

  /// Tokens generated so far; one that ended the answer is not among them.
  public var generatedCount: Int { session.count - promptCount }

  /// What was guessed in this generation so far; nil without speculation.
  public var speculated: Speculation.Tally? { options.speculation.map { $0.tally - tallyBefore } }

  /// Why nothing more is to be drawn, if that is so before the next token is looked at.
  private var ending: Finish? {
    if options.isCancelled?() == true { return .cancelled }
    // Only a grammar of nothing but the empty text.
    if matcher?.isFinished == true { return .grammar }
    if let limit = options.maxTokens, generatedCount >= limit { return .length }
    return session.count >= session.engine.contextLength ? .context : nil
  }

  /// The pass that `next` would run: who makes it beforehand lets several generations share one. nil where `next` needs
  /// none, and where it looks ahead, which it does in passes of its own.
  /// - Throws: as `Session.logits()`.
  public func pendingPass() throws(LacunaError) -> PassRequest? {
    guard finish == nil, ending == nil, options.speculation == nil else { return nil }
    return try session.logitsRequest()
  }

  /// The next event, nil after the last. Runs the session's pending forward pass.
  /// - Throws: as `Session.logits()`, and whatever a hook or a script's stage throws.
  public mutating func next() throws -> Event? {
    guard finish == nil else { return nil }
    if let ending { return try finish(ending) }
    if let speculation = options.speculation, !session.hasLogits { try makeLogits(speculation) }
    let logits = try session.borrowedLogits()

    scratch.copy(logits)
    try options.onLogits?(scratch.values, generatedCount)
    let forced = try matcher?.apply(to: scratch.values)
    var token = try forced ?? draw()
    let normalizer = session.engine.model.kernels.logSumExp(logits)
    switch try options.onToken?(token, logits[Int(token)] - normalizer) ?? .keep {
    case .keep: break
    case .stop: return try finish(.stop)
    case .rewind(let count): return try takeBack(count)
    case .replace(let other):
      guard logits.indices.contains(Int(other)) else {
        throw LacunaError(.invalidArgument, "on_token: expected a token id below \(logits.count), found \(other)")
      }
      token = other
    }
    if session.engine.isEndOfGeneration(token) {
      guard let matcher else { return try finish(.eos) }
      guard matcher.isAccepting else {
        throw LacunaError(.invalidArgument, "grammar: the text is not whole yet, found the end of the answer")
      }
      return try finish(.grammar)
    }

    if stopTokens.contains(token) { return try finish(.stop) }

    var event = Event(
      token: token, logProbability: logits[Int(token)] - normalizer, isForced: forced == token)
    if options.alternatives > 0 {
      event.alternatives = session.engine.model.kernels.topK(logits, count: options.alternatives)
        .map { (token: $0.index, logProbability: $0.value - normalizer) }
    }
    if let matcher {
      var next = matcher
      try next.accept(token)
      matcherBefore.append(matcher)
      self.matcher = next
    }
    textBefore.append(text)
    try session.append(token)
    try chain.accept(token)
    let piece = text.append(token)
    event.text = try emitted(piece.text)
    if piece.stopped {
      finish = .stop
      event.finish = .stop
    } else if matcher?.isFinished == true {
      finish = .grammar
      event.finish = .grammar
      event.text += try emitted(text.flush())
    }
    return event
  }

  private static func controlTokens(_ stops: [String], _ tokenizer: (any Tokenizer)?) -> Set<TokenID> {
    guard let tokenizer else { return [] }
    return Set(
      stops.compactMap { stop in
        let ids = tokenizer.encode(stop, bos: false, special: true)
        return ids.count == 1 && tokenizer.isControl(ids[0]) ? ids[0] : nil
      })
  }

  private mutating func draw() throws -> TokenID {
    try session.tokens.withUnsafeBufferPointer { tokens in
      let context = SamplingContext(tokens: tokens, promptCount: promptCount, seed: options.seed, stream: stream)
      try options.onDraw?(UnsafeBufferPointer(scratch.values), chain, context)
      return try chain.sample(scratch.values, context)
    }
  }

  /// Of random numbers; another one after each rewind.
  private var stream: UInt64 { rewinds == 0 ? options.stream : SeededRandom.hash(options.stream, rewinds) }

  private func makeLogits(_ speculation: Speculation) throws(LacunaError) {
    // Behind the last token that may come no logits are needed.
    let room = session.engine.contextLength - session.count
    let wanted = options.maxTokens.map { $0 - generatedCount } ?? room
    try speculation.makeLogits(
      session, limit: min(room, wanted) - 1,
      Speculation.Draw(chain: chain, promptCount: promptCount, seed: options.seed, stream: stream))
  }

  private mutating func takeBack(_ count: Int) throws -> Event {
    guard (0...generatedCount).contains(count) else {
      throw LacunaError(
        .invalidArgument, "on_token: expected 0 to \(generatedCount) tokens to rewind, found \(count)")
    }
    rewinds += 1
    guard rewinds <= Self.rewindLimit else {
      throw LacunaError(.invalidArgument, "on_token: expected at most \(Self.rewindLimit) rewinds, found more")
    }
    if count > 0 {
      let keep = generatedCount - count
      text = textBefore[keep]
      textBefore.removeLast(count)
      if matcher != nil {
        matcher = matcherBefore[keep]
        matcherBefore.removeLast(count)
      }
      try chain.rewind(toAccepted: chain.acceptedCount - count)
      try session.rewind(to: promptCount + keep)
    }
    return Event(token: nil, takenBack: count)
  }

  private mutating func finish(_ reason: Finish) throws -> Event {
    finish = reason
    return Event(token: nil, text: try emitted(text.flush()), finish: reason)
  }

  private func emitted(_ piece: String) throws -> String {
    guard !piece.isEmpty, let onText = options.onText else { return piece }
    return try onText(piece)
  }
}
