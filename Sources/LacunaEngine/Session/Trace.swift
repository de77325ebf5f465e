/// What was seen inside a model while it read a sequence, copied out once.
///
/// Layers are numbered as Hugging Face numbers `hidden_states`: 0 is the embedding's output, n the output of block n, and
/// the last one has gone through the model's last norm. Heads count from 0. Positions count from 0 in the sequence.
public final class Trace: @unchecked Sendable {
  // SAFETY: written by the passes that make it, before anybody else sees it.

  public struct Request: Sendable {
    /// Layers whose hidden states are wanted, 0 to the number of blocks.
    public var hidden: [Int] = []
    /// Layers, 0 to the number of blocks, behind which the last norm and the output head are wanted: the logit lens
    /// (nostalgebraist 2020). At the last layer these are the model's logits.
    public var lens: [Int] = []
    /// Heads by layer, 1 to the number of blocks, whose attention is wanted: from each position a probability for every
    /// position that it sees. They are computed in float32 from the keys as they are stored.
    public var attention: [Int: [Int]] = [:]
    /// nil: all.
    public var positions: [Int]?
    /// A trace that would be larger is refused.
    public var byteLimit = 2 << 30

    public init() {}
  }

  public let tokens: [TokenID]
  /// These and the layers and heads: in rising order.
  public let positions: [Int]
  public let hiddenLayers: [Int]
  public let lensLayers: [Int]
  public let attentionHeads: [(layer: Int, head: Int)]
  /// Tokens that were evaluated for it.
  public internal(set) var evaluatedCount = 0

  private let hiddenSize: Int
  private let vocabSize: Int
  /// Hidden states, [layers, positions, hiddenSize]; lenses, [layers, positions, vocabSize]; attention, a head after the
  /// other, [position + 1] for each position.
  private let memory: AlignedBuffer
  private let lensBase: Int
  private let attentionBase: Int
  /// [positions + 1]: floats of one head's attention before each position.
  private let attentionOffsets: [Int]
  /// Where the residuals of one pass wait for the head, [lensRowCapacity, hiddenSize].
  private let residuals: AlignedBuffer
  private var stagedCount = 0

  /// Lens rows of one pass.
  private static let lensRowCapacity = Scratch.headRowCapacity - Scratch.rowCapacity

  /// Room for what is asked of a sequence.
  /// - Throws: `invalidArgument` for layers, heads and positions that are not there, and for a trace larger than the
  ///   request's limit; `resource`.
  init(_ request: Request, tokens: [TokenID], config: ModelConfig) throws(LacunaError) {
    let layers = config.numHiddenLayers
    try Self.check(request.hidden, "hidden", "layers", 0...layers)
    try Self.check(request.lens, "lens", "layers", 0...layers)
    try Self.check(Array(request.attention.keys), "attention", "layers", 1...max(layers, 1))
    for (layer, heads) in request.attention {
      try Self.check(heads, "attention of layer \(layer)", "heads", 0...config.numAttentionHeads - 1)
    }
    self.tokens = tokens
    positions = try Self.positions(request.positions, count: tokens.count)
    hiddenLayers = Set(request.hidden).sorted()
    lensLayers = Set(request.lens).sorted()
    attentionHeads = request.attention.keys.sorted().flatMap { layer in
      Set(request.attention[layer] ?? []).sorted().map { (layer, $0) }
    }
    hiddenSize = config.hiddenSize
    vocabSize = config.vocabSize
    var offsets = [0]
    for position in positions { offsets.append(offsets[offsets.count - 1] + position + 1) }
    attentionOffsets = offsets
    lensBase = hiddenLayers.count * positions.count * hiddenSize
    attentionBase = lensBase + lensLayers.count * positions.count * vocabSize
    let floatCount = attentionBase + attentionHeads.count * offsets[positions.count]
    let byteCount = floatCount * MemoryLayout<Float>.stride
    guard byteCount <= request.byteLimit else {
      throw LacunaError(
        .invalidArgument,
        "trace: expected at most \(request.byteLimit >> 10) KiB, found \((byteCount >> 10) + 1) KiB: ask for fewer "
          + "layers, heads or positions")
    }
    memory = try AlignedBuffer(byteCount: byteCount)
    let staged = min(lensLayers.count * positions.count, max(Self.lensRowCapacity, lensLayers.count))
    residuals = try AlignedBuffer(byteCount: staged * config.hiddenSize * MemoryLayout<Float>.stride)
  }

  private static func check(
    _ values: [Int], _ what: String, _ kind: String, _ range: ClosedRange<Int>
  ) throws(LacunaError) {
    guard let bad = values.first(where: { !range.contains($0) }) else { return }
    throw LacunaError(
      .invalidArgument,
      "trace: \(what): expected \(kind) from \(range.lowerBound) to \(range.upperBound), found \(bad)")
  }

  static func positions(_ wanted: [Int]?, count: Int) throws(LacunaError) -> [Int] {
    guard let wanted else { return Array(0..<count) }
    if let bad = wanted.first(where: { !(0..<count).contains($0) }) {
      throw LacunaError(
        .invalidArgument, "trace: expected positions of the \(count) tokens, found the one behind \(bad) tokens")
    }
    return Set(wanted).sorted()
  }

  public var byteCount: Int { memory.byteCount }

  // MARK: What was seen

  /// [hiddenSize]
  /// - Precondition: layer and position were asked for.
  public func hidden(_ layer: Int, at position: Int) -> [Float] {
    withExtendedLifetime(self) { Array(borrowedHidden(layer, at: position)) }
  }

  /// Logits, [vocabSize].
  /// - Precondition: layer and position were asked for.
  public func lens(_ layer: Int, at position: Int) -> [Float] {
    withExtendedLifetime(self) { Array(borrowedLens(layer, at: position)) }
  }

  /// Probabilities, [position + 1].
  /// - Precondition: layer, head and position were asked for.
  public func attention(_ layer: Int, head: Int, at position: Int) -> [Float] {
    withExtendedLifetime(self) { Array(borrowedAttention(layer, head: head, at: position)) }
  }

  // In place, and only while the trace lives.

  package func borrowedHidden(_ layer: Int, at position: Int) -> UnsafeBufferPointer<Float> {
    let row = hiddenRow(hiddenLayers.place(of: layer), positions.place(of: position))
    return UnsafeBufferPointer(start: row, count: hiddenSize)
  }

  package func borrowedLens(_ layer: Int, at position: Int) -> UnsafeBufferPointer<Float> {
    let row = lensRow(lensLayers.place(of: layer), positions.place(of: position))
    return UnsafeBufferPointer(start: row, count: vocabSize)
  }

  package func borrowedAttention(_ layer: Int, head: Int, at position: Int) -> UnsafeBufferPointer<Float> {
    guard let index = attentionHeads.firstIndex(where: { $0.layer == layer && $0.head == head }) else {
      preconditionFailure("head \(head) of layer \(layer) was not asked for")
    }
    return UnsafeBufferPointer(start: attentionRow(index, positions.place(of: position)), count: position + 1)
  }

  private func hiddenRow(_ layer: Int, _ place: Int) -> UnsafeMutablePointer<Float> {
    memory.floats() + (layer * positions.count + place) * hiddenSize
  }

  private func lensRow(_ layer: Int, _ place: Int) -> UnsafeMutablePointer<Float> {
    memory.floats() + lensBase + (layer * positions.count + place) * vocabSize
  }

  private func attentionRow(_ head: Int, _ place: Int) -> UnsafeMutablePointer<Float> {
    memory.floats() + attentionBase + head * attentionOffsets[positions.count] + attentionOffsets[place]
  }

  // MARK: While it is made

  /// The end of the longest run of positions from `start` on that one pass can take.
  func windowEnd(from start: Int, end: Int) -> Int {
    let limit = min(start + Scratch.rowCapacity, end)
    guard !lensLayers.isEmpty else { return limit }
    var room = max(Self.lensRowCapacity / lensLayers.count, 1)
    for position in positions where position >= start && position < limit {
      if room == 0 { return position }
      room -= 1
    }
    return limit
  }

  /// Rows that the head is asked for in a pass over `range`.
  func lensRowCount(in range: Range<Int>) -> Int {
    lensLayers.isEmpty ? 0 : lensLayers.count * positions.count { range.contains($0) }
  }

  /// The residuals of the pass before may be overwritten.
  func beginPass() { stagedCount = 0 }

  /// Asks the pass for what is wanted of a row, if its position is wanted at all.
  func tap(_ pass: ForwardPass, row: Int, position: Int) {
    guard let place = positions.index(ofSorted: position) else { return }
    let last = pass.model.config.numHiddenLayers
    for (index, layer) in hiddenLayers.enumerated() {
      pass.residualTaps.append(
        ResidualTap(row: row, layer: layer, isNormed: layer == last, out: hiddenRow(index, place)))
    }
    for (index, layer) in lensLayers.enumerated() {
      let residual = residuals.floats() + stagedCount * hiddenSize
      pass.addLens(row: row, layer: layer, residual: residual, logits: lensRow(index, place))
      stagedCount += 1
    }
    for (index, entry) in attentionHeads.enumerated() {
      pass.attentionTaps.append(
        AttentionTap(row: row, layer: entry.layer, head: entry.head, out: attentionRow(index, place)))
    }
  }
}

extension [Int] {
  /// Where a value is in a rising list.
  fileprivate func index(ofSorted value: Int) -> Int? {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low] == value ? low : nil
  }

  fileprivate func place(of value: Int) -> Int {
    guard let index = index(ofSorted: value) else { preconditionFailure("\(value) was not asked for") }
    return index
  }
}
