/// A vocabulary's prefix tree as a grammar sees it: bytes that a state does not tell apart lead to one node.
///
/// In a string of at most 60 characters every ordinary character leads to the same node, whichever it is and however many may
/// follow: the 60 states share one pass over the vocabulary, and each walks a few hundred nodes instead of all the tree's.
/// Built while it is used.
final class FoldedTrie {
  private enum Tokens {
    case few([TokenID])
    /// A bit each, where that is shorter than a list.
    case many([UInt64])
  }

  private struct Node {
    /// Nodes of the tree that have children.
    var inner: [Int32] = []
    var tokens = Tokens.few([])
  }

  /// A node under a state that splits bytes in some way.
  private struct Step: Hashable {
    let node: Int32
    let split: Int32
  }

  private let trie: TokenTrie
  private let automaton: GrammarAutomaton
  private var nodes: [Node] = []
  /// The nodes behind a step, by group of bytes; -1 where no token goes on.
  private var steps: [Step: [Int32]] = [:]
  /// The tree's nodes that were folded, each as often as it was.
  private var foldedCount = 0

  /// Foldings of the whole tree that are kept: about 20 MB for 32,000 tokens.
  private static let capacity = 32

  init(_ trie: TokenTrie, _ automaton: GrammarAutomaton) {
    (self.trie, self.automaton) = (trie, automaton)
    forget()
  }

  private func forget() {
    nodes = [Node(inner: [TokenTrie.root])]
    steps = [:]
    foldedCount = 0
  }

  /// Every token whose bytes the automaton can read from `state`.
  func allowed(from state: GrammarAutomaton.State) throws(LacunaError) -> TokenMask {
    if foldedCount > Self.capacity * trie.nodeCount { forget() }
    var words = [UInt64](repeating: 0, count: TokenMask.wordCount(trie.vocabularySize))
    var pending = [(node: Int32(0), state: state)]
    while let (node, state) = pending.popLast() {
      let split = try automaton.split(state)
      for (child, target) in zip(children(Step(node: node, split: split.number)), split.targets) where child >= 0 {
        insert(nodes[Int(child)].tokens, into: &words)
        if !nodes[Int(child)].inner.isEmpty { pending.append((child, target)) }
      }
    }
    return TokenMask(size: trie.vocabularySize, words: words)
  }

  private func insert(_ tokens: Tokens, into words: inout [UInt64]) {
    switch tokens {
    case .few(let list): for token in list { words[Int(token) >> 6] |= 1 << UInt64(token & 63) }
    case .many(let others): for index in words.indices { words[index] |= others[index] }
    }
  }

  private func children(_ step: Step) -> [Int32] {
    if let known = steps[step] { return known }
    let groups = automaton.groups(ofSplit: step.split)
    let count = Int(groups.max()!) + 1
    var inner = [[Int32]](repeating: [], count: count)
    var tokens = [[TokenID]](repeating: [], count: count)
    for node in nodes[Int(step.node)].inner {
      trie.forEachChild(of: node) { child, byte in
        let group = Int(groups[Int(byte)])
        guard group >= 0 else { return }
        foldedCount += 1
        if trie.hasChildren(child) { inner[group].append(child) }
        trie.forEachToken(at: child) { tokens[group].append($0) }
      }
    }
    let made = zip(inner, tokens).map { inner, tokens -> Int32 in
      if inner.isEmpty, tokens.isEmpty { return -1 }
      nodes.append(Node(inner: inner, tokens: pack(tokens)))
      return Int32(nodes.count - 1)
    }
    steps[step] = made
    return made
  }

  private func pack(_ tokens: [TokenID]) -> Tokens {
    let wordCount = TokenMask.wordCount(trie.vocabularySize)
    guard tokens.count > 2 * wordCount else { return .few(tokens) }
    var words = [UInt64](repeating: 0, count: wordCount)
    insert(.few(tokens), into: &words)
    return .many(words)
  }
}
