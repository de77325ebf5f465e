/// Scores sequences side by side. What several of them have before their scored tokens is evaluated once.
///
/// Sequences that share a beginning fork one session that holds it. They are taken depth first, in the order in which
/// they were given as far as sharing lets them be, so that few such sessions live at a time; as many are under way as fill a
/// pass.
public final class ScoringWork: Work {
  /// Scores one after the other would be no worse than a pass that is fuller than this.
  private static let rowsUnderWay = Scratch.rowCapacity
  private static let widest = 64
  /// Tokens that must be spared before a beginning gets a session of its own: it is one more pass to wait for.
  private static let leastSaving = 8

  /// Something that can begin as soon as there is room for it, behind the tokens that `base` holds.
  private struct Step {
    enum Kind {
      /// Evaluates what all sequences behind the node begin with.
      case trunk(PrefixTree.Node)
      case sequence(Int)
    }

    let kind: Kind
    let base: Session
  }

  private struct Running {
    let kind: Step.Kind
    let session: Session
    let request: PassRequest
  }

  private let engine: Engine
  private let sequences: [Scorer.Sequence]
  private let budget: KVBudget
  private let sharesPrefixes: Bool
  private let onProgress: ((Int, Int) -> Bool)?
  private let report: (Int, Result<AnswerScore, LacunaError>) throws -> Void
  /// The last is next.
  private var ready: [Step] = []
  private var running: [Running] = []
  private var isStarted = false

  /// - Parameters:
  ///   - budget: while keys and values take more than this, sequences are scored one at a time.
  ///   - sharesPrefixes: false to evaluate every sequence from its first token, for measurements.
  ///   - onProgress: as `Session.onProgress`, for each sequence and each beginning that is long enough.
  ///   - report: gets each sequence's score once, by its number, as they are done.
  public init(
    engine: Engine, _ sequences: [Scorer.Sequence], budget: KVBudget = .ofMachine, sharesPrefixes: Bool = true,
    onProgress: ((Int, Int) -> Bool)? = nil,
    report: @escaping (Int, Result<AnswerScore, LacunaError>) throws -> Void
  ) {
    self.engine = engine
    self.sequences = sequences
    self.budget = budget
    self.sharesPrefixes = sharesPrefixes
    self.onProgress = onProgress
    self.report = report
  }

  /// - Throws: what `report` throws; `resource` where not even an empty session can be made.
  public func advance() throws -> [PassRequest]? {
    if !isStarted {
      isStarted = true
      ready = steps(behind: makeTree().root, try engine.makeSession()).reversed()
    }
    let done = running.filter(\.request.isDone)
    running.removeAll(where: \.request.isDone)
    // Last in, first out: what goes on from here goes before what was ready already.
    ready += try done.flatMap(finish).reversed()
    while hasRoom, let step = ready.popLast() { try start(step) }
    return running.isEmpty ? nil : running.map(\.request)
  }

  private func makeTree() -> PrefixTree {
    let tree = PrefixTree()
    for (index, sequence) in sequences.enumerated() {
      // The token that predicts the first scored one is evaluated with the scored ones.
      let shared = sharesPrefixes ? max(sequence.scoredFrom - 1, 0) : 0
      tree.add(index, beginning: Array(sequence.tokens.prefix(shared)))
    }
    return tree
  }

  private var hasRoom: Bool {
    if running.isEmpty { return true }
    let rows = running.reduce(0) { $0 + $1.request.rowsLeft }
    return rows < Self.rowsUnderWay && running.count < Self.widest && !budget.isExceeded
  }

  /// What can begin once `base` holds the node's tokens.
  private func steps(behind node: PrefixTree.Node, _ base: Session) -> [Step] {
    node.entries.flatMap { entry -> [Step] in
      switch entry {
      case .sequence(let index): return [Step(kind: .sequence(index), base: base)]
      case .child(let child):
        let saving = (child.sequenceCount - 1) * (child.depth - base.count)
        return saving < Self.leastSaving ? steps(behind: child, base) : [Step(kind: .trunk(child), base: base)]
      }
    }
  }

  private func start(_ step: Step) throws {
    let session: Session
    let request: PassRequest
    do throws(LacunaError) {
      session = try step.base.fork()
      session.onProgress = onProgress
      switch step.kind {
      case .trunk(let node):
        try session.append(sequences[node.example].tokens[step.base.count..<node.depth])
        request = PassRequest(session: session, end: session.count)
      case .sequence(let index):
        let sequence = sequences[index]
        guard (1...max(sequence.tokens.count, 1)).contains(sequence.scoredFrom) else {
          throw LacunaError(
            .invalidArgument,
            "a sequence of \(sequence.tokens.count) tokens cannot be scored from its token \(sequence.scoredFrom) on")
        }
        try session.append(sequence.tokens[step.base.count...])
        request = session.scoreRequest(from: sequence.scoredFrom)
      }
    } catch {
      return try fail(step.kind, error)
    }
    let item = Running(kind: step.kind, session: session, request: request)
    // Done already where there is nothing to score.
    if request.isDone { ready += try finish(item) } else { running.append(item) }
  }

  /// - Returns: what can begin now.
  private func finish(_ item: Running) throws -> [Step] {
    if let failure = item.request.failure {
      try fail(item.kind, failure)
      return []
    }
    switch item.kind {
    case .trunk(let node): return steps(behind: node, item.session)
    case .sequence(let index):
      let sequence = sequences[index]
      try report(
        index,
        .success(
          AnswerScore(tokens: Array(sequence.tokens[sequence.scoredFrom...]), scores: Array(item.request.scores))))
      return []
    }
  }

  private func fail(_ kind: Step.Kind, _ error: LacunaError) throws {
    switch kind {
    case .sequence(let index): try report(index, .failure(error))
    case .trunk(let node):
      for entry in node.entries {
        switch entry {
        case .sequence(let index): try report(index, .failure(error))
        case .child(let child): try fail(.trunk(child), error)
        }
      }
    }
  }
}
