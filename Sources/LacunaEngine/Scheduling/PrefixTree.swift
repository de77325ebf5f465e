/// What token sequences begin with, each beginning once: a radix tree, in the order in which sequences were added.
struct PrefixTree {
  /// A run of tokens behind its parent's, and what goes on from there.
  final class Node {
    enum Entry {
      case child(Node)
      /// A sequence that goes on by itself from here, by its number.
      case sequence(Int)
    }

    fileprivate var run: ArraySlice<TokenID>
    /// Tokens from the root to the run's end: the first ones of `example`.
    let depth: Int
    /// One of the sequences behind this node.
    let example: Int
    fileprivate(set) var entries: [Entry] = []
    /// Sequences behind this node.
    fileprivate(set) var sequenceCount = 0
    /// Places in `entries` of children, by the first token of their runs.
    private var children: [TokenID: Int] = [:]

    fileprivate init(run: ArraySlice<TokenID>, depth: Int, example: Int) {
      self.run = run
      self.depth = depth
      self.example = example
    }

    fileprivate func child(_ token: TokenID) -> Node? {
      guard let place = children[token], case .child(let node) = entries[place] else { return nil }
      return node
    }

    /// Adds the child, in the place of the one that begins with the same token if there is one.
    fileprivate func add(_ child: Node) {
      guard let first = child.run.first else { preconditionFailure("a child without tokens") }
      if let place = children[first] {
        entries[place] = .child(child)
      } else {
        children[first] = entries.count
        entries.append(.child(child))
      }
    }
  }

  let root = Node(run: [], depth: 0, example: 0)

  /// - Parameter beginning: tokens that the sequence may share with others.
  func add(_ sequence: Int, beginning: [TokenID]) {
    var rest = beginning[...]
    var node = root
    node.sequenceCount += 1
    while let first = rest.first {
      guard let child = node.child(first) else {
        let leaf = Node(run: rest, depth: beginning.count, example: sequence)
        node.add(leaf)
        node = leaf
        node.sequenceCount += 1
        break
      }
      let common = zip(child.run, rest).prefix { $0 == $1 }.count
      if common < child.run.count {
        let upper = Node(
          run: child.run.prefix(common), depth: child.depth - child.run.count + common, example: child.example)
        upper.sequenceCount = child.sequenceCount
        child.run = child.run.dropFirst(common)
        node.add(upper)
        upper.add(child)
        node = upper
      } else {
        node = child
      }
      node.sequenceCount += 1
      rest = rest.dropFirst(common)
    }
    node.entries.append(.sequence(sequence))
  }
}
