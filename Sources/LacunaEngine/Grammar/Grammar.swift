/// A set of texts that generation can be held to.
///
/// Made from a JSON Schema, GBNF, a regular expression or a list of texts; compiled once and used for any number of
/// generations. Not for use from several threads at once: what is worked out is kept.
public final class Grammar {
  let automaton: GrammarAutomaton
  private var masks: [String: GrammarMasks] = [:]

  init(_ rules: GrammarRules) throws(LacunaError) {
    automaton = try GrammarAutomaton(try GrammarProgram(rules))
  }

  /// One of these texts.
  /// - Throws: `invalidArgument` for an empty list.
  public convenience init(choice texts: [String]) throws(LacunaError) {
    guard !texts.isEmpty else {
      throw LacunaError(.invalidArgument, "grammar: expected at least one choice, found none")
    }
    var rules = GrammarRules()
    _ = rules.add("root", .choice(texts.map { .text($0) }))
    try self.init(rules)
  }

  /// Whether the whole text is one of the grammar's.
  public func accepts(_ text: String) throws(LacunaError) -> Bool {
    automaton.isAccepting(try state(after: text))
  }

  /// Whether the text is one of the grammar's, or can become one by going on.
  public func acceptsPrefix(_ text: String) throws(LacunaError) -> Bool {
    try state(after: text) != GrammarAutomaton.dead
  }

  private func state(after text: String) throws(LacunaError) -> GrammarAutomaton.State {
    var state = automaton.start
    for byte in text.utf8 { state = try automaton.next(state, byte) }
    return state
  }

  /// What is allowed under an engine's vocabulary. Vocabularies that are equal share one.
  /// - Throws: `unsupported` for a model without a tokenizer.
  func masks(for engine: Engine) throws(LacunaError) -> GrammarMasks {
    guard let tokenizer = engine.tokenizer, let trie = engine.tokenTrie() else {
      throw LacunaError(
        .unsupported, "\(engine.info.name): a grammar needs to know the tokens' text, and the model ships no tokenizer")
    }
    let key = "\(tokenizer.fingerprint) \(engine.config.vocabSize)"
    if let known = masks[key] { return known }
    let made = GrammarMasks(automaton, trie)
    masks[key] = made
    return made
  }
}

/// How far a text has come in a grammar. A value: copy it to go back.
public struct GrammarMatcher {
  public let grammar: Grammar
  private let masks: GrammarMasks
  private let engine: Engine
  private var state: GrammarAutomaton.State

  /// At the grammar's beginning.
  /// - Throws: `unsupported` for a model without a tokenizer.
  public init(_ grammar: Grammar, engine: Engine) throws(LacunaError) {
    self.grammar = grammar
    self.engine = engine
    masks = try grammar.masks(for: engine)
    state = grammar.automaton.start
  }

  /// Whether the text so far is whole.
  public var isAccepting: Bool { grammar.automaton.isAccepting(state) }
  /// Whether the text so far is whole and nothing may follow.
  public var isFinished: Bool { isAccepting && grammar.automaton.isFinal(state) }

  /// Tokens that may come next; those that end an answer are among them where the text is whole.
  package func mask() throws(LacunaError) -> TokenMask {
    var mask = try masks.mask(state)
    if isAccepting { for token in engine.config.eosTokenIDs { mask.insert(token) } }
    return mask
  }

  /// Sets the logits of everything that may not come next to minus infinity; tokens that end an answer stay where the
  /// text is whole. logits: [vocabSize].
  /// - Returns: the only token that may come next, if there is just one.
  /// - Throws: `invalidArgument` where nothing may come next: no token of the vocabulary fits.
  public func apply(to logits: UnsafeMutableBufferPointer<Float>) throws(LacunaError) -> TokenID? {
    let mask = try self.mask()
    guard mask.count > 0 else {
      throw LacunaError(.invalidArgument, "grammar: no token of \(engine.info.name)'s vocabulary can come next")
    }
    mask.apply(to: logits)
    return mask.count == 1 ? mask.tokens[0] : nil
  }

  /// Goes on behind a token.
  /// - Throws: `invalidArgument` for a token that may not come next; the matcher is unchanged then.
  public mutating func accept(_ token: TokenID) throws(LacunaError) {
    var next = state
    let bytes = engine.tokenizer?.bytes(of: token, special: false) ?? []
    for byte in bytes { next = try grammar.automaton.next(next, byte) }
    guard !bytes.isEmpty, next != GrammarAutomaton.dead else {
      throw LacunaError(
        .invalidArgument, "grammar: the token \(token) (\"\(engine.tokenizer?.piece(token) ?? "")\") may not come next")
    }
    state = next
  }
}
