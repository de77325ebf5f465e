/// Masks of one grammar over one vocabulary, by state.
final class GrammarMasks {
  private let automaton: GrammarAutomaton
  private let trie: FoldedTrie
  private let reach: Int
  private var known: [GrammarAutomaton.State: TokenMask] = [:]

  /// Masks kept: 16 MB for 32,000 tokens.
  private static let capacity = 4096

  init(_ automaton: GrammarAutomaton, _ trie: TokenTrie) {
    self.automaton = automaton
    self.trie = FoldedTrie(trie, automaton)
    reach = trie.reach
  }

  func mask(_ state: GrammarAutomaton.State) throws(LacunaError) -> TokenMask {
    let key = try automaton.clamped(state, reach: reach)
    if let mask = known[key] { return mask }
    let mask = try trie.allowed(from: key)
    if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
    known[key] = mask
    return mask
  }
}
