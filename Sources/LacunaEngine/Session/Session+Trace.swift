/// Looking inside the model while it reads a session's tokens.
extension Session {
  /// Hidden states, logit lenses and attention of tokens that are there, evaluated again from the first wanted position
  /// on, with this session's patches. The session stays as it is; while the trace is made, the keys and values of what is
  /// evaluated again exist twice.
  /// - Throws: `invalidArgument` for an empty session, for layers, heads and positions that are not there, and for a trace
  ///   beyond the request's limit; `resource`, `notFinite`, `cancelled`.
  public func trace(_ request: Trace.Request) throws(LacunaError) -> Trace {
    try TraceWork(of: self, request).finish()
  }

  public enum Pooling: String, Sendable, CaseIterable {
    case mean, last
  }

  public struct Embedding: Sendable {
    /// [hiddenSize]
    public let vector: [Float]
    /// Tokens that were evaluated for it.
    public let evaluatedCount: Int
  }

  /// One vector for all tokens: the mean of a layer's hidden states over positions, summed in double
  /// precision in their order, or the last one's. Layers are numbered as in `Trace`.
  /// - Parameters:
  ///   - layer: nil for the last, normed one.
  ///   - positions: those that are pooled; nil for all.
  /// - Throws: as `trace`.
  public func embedding(
    layer: Int? = nil, pooling: Pooling = .mean, positions: [Int]? = nil
  ) throws(LacunaError) -> Embedding {
    guard !tokens.isEmpty else {
      throw LacunaError(.invalidArgument, "an empty session has no embedding: append a token first")
    }
    let layer = layer ?? engine.config.numHiddenLayers
    var wanted = try Trace.positions(positions, count: count)
    if pooling == .last { wanted = wanted.suffix(1) }
    guard !wanted.isEmpty else {
      throw LacunaError(.invalidArgument, "embedding: expected at least one position, found none")
    }
    let fork = try forkForTrace()
    var evaluated = 0
    var sum = [Double](repeating: 0, count: engine.config.hiddenSize)
    // Piece by piece: no more states than one pass makes exist at a time.
    for start in stride(from: 0, to: wanted.count, by: Scratch.rowCapacity) {
      var request = Trace.Request()
      request.hidden = [layer]
      request.positions = Array(wanted[start..<min(start + Scratch.rowCapacity, wanted.count)])
      let trace = try TraceWork(request, on: fork).finish()
      evaluated += trace.evaluatedCount
      for position in trace.positions {
        for (index, value) in trace.hidden(layer, at: position).enumerated() { sum[index] += Double(value) }
      }
    }
    return Embedding(vector: sum.map { Float($0 / Double(wanted.count)) }, evaluatedCount: evaluated)
  }

  /// For passes that look, and bring nothing along.
  func forkForTrace() throws(LacunaError) -> Session {
    let copy = try fork()
    copy.onProgress = onProgress
    copy.forgetStates()
    return copy
  }
}
