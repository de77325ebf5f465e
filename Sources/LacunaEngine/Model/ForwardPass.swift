/// One pass of a Llama model (Touvron et al. 2023) over up to `Scratch.rowCapacity` tokens of any number of
/// sequences, from token ids to logits. All threads of the team run it side by side, each on its own slice or on pieces of
/// what they share, and meet at barriers.
///
/// Every output element is computed by one thread in one order that depends only on its own sequence, so a
/// sequence's logits have the same bits whichever thread that is and whatever else rides along.
final class ForwardPass: TeamJob, @unchecked Sendable {
  // SAFETY: PassRunner's gate lets one caller at a time fill and run it.
  /// One token.
  struct Row {
    var token: TokenID
    var position: Int
    var segment: Int
  }

  /// Consecutive tokens of one sequence.
  struct Segment {
    var firstRow: Int
    var count: Int
    var firstPosition: Int
    /// The number of the item that it serves.
    var request: Int
    /// Set when what the pass made of it is of no use.
    var isRefused = false
    /// [page]: the sequence's pages, writable where this segment writes.
    var pages: UnsafePointer<UnsafeRawPointer?>

    var endPosition: Int { firstPosition + count }
  }

  /// A row whose next-token distribution is wanted, or would be if the model ended at an earlier layer.
  struct HeadRow {
    var row: Int
    /// The residual that the last norm and the head are applied to, [hidden]: the row's own in the scratch, or a copy
    /// that a tap makes earlier in the pass.
    var residual: UnsafePointer<Float>
    /// Where its logits go, [vocab]; nil if only `score` is wanted.
    var logits: UnsafeMutablePointer<Float>?
    /// The token that follows, and where its score goes.
    var target: TokenID
    var score: UnsafeMutablePointer<TokenScore>?
    /// Set to false by the pass if a logit is not finite.
    var isFinite: Bool
  }

  let model: LlamaModel
  let scratch: Scratch
  var rowCount = 0
  var segmentCount = 0
  var headRowCount = 0
  var residualTaps: [ResidualTap] = []
  var attentionTaps: [AttentionTap] = []
  var edits: [RowEdit] = []
  /// Asked before each layer of a long pass, on thread 0, with the layer's number: whether to go on.
  var watch: ((Int) -> Bool)?
  /// Set by `watch`: nothing of this pass may be used.
  private(set) var isStopped = false

  init(model: LlamaModel, scratch: Scratch) {
    self.model = model
    self.scratch = scratch
  }

  /// Forgets the rows of the pass before.
  func clear() {
    rowCount = 0
    segmentCount = 0
    headRowCount = 0
    residualTaps.removeAll(keepingCapacity: true)
    attentionTaps.removeAll(keepingCapacity: true)
    edits.removeAll(keepingCapacity: true)
    isStopped = false
  }

  func addHeadRow(
    _ row: Int, residual: UnsafePointer<Float>? = nil, logits: UnsafeMutablePointer<Float>?, target: TokenID = 0,
    score: UnsafeMutablePointer<TokenScore>? = nil
  ) {
    precondition(headRowCount < Scratch.headRowCapacity, "more than \(Scratch.headRowCapacity) rows for the head")
    scratch.headRows[headRowCount] = HeadRow(
      row: row, residual: residual ?? UnsafePointer(scratch.x + row * model.config.hiddenSize), logits: logits,
      target: target, score: score, isFinite: true)
    headRowCount += 1
  }

  /// The logits of a row as if the model ended behind a layer. `residual`, [hidden], is used during the pass.
  func addLens(
    row: Int, layer: Int, residual: UnsafeMutablePointer<Float>, logits: UnsafeMutablePointer<Float>
  ) {
    residualTaps.append(ResidualTap(row: row, layer: layer, isNormed: false, out: residual))
    addHeadRow(row, residual: UnsafePointer(residual), logits: logits)
  }

  func run(thread: Int, of threadCount: Int, team: ThreadTeam) {
    let worker = Worker(pass: self, thread: thread, threadCount: threadCount, team: team)
    worker.embed()
    for layer in 0..<model.config.numHiddenLayers {
      if watch != nil, !goesOn(layer, thread: thread, team: team) { return }
      worker.run(layer: layer)
    }
    worker.finish()
    for first in stride(from: 0, to: headRowCount, by: Scratch.headCapacity) {
      worker.head(first..<min(first + Scratch.headCapacity, headRowCount))
    }
  }

  /// All threads hear the same answer: that of thread 0, which does not ask again before they have passed a barrier.
  @inline(never)
  private func goesOn(_ layer: Int, thread: Int, team: ThreadTeam) -> Bool {
    if thread == 0 { isStopped = watch?(layer) == false }
    team.barrier()
    return !isStopped
  }
}

/// The probability that a model gave to one token of a text.
public struct TokenScore: Sendable, Equatable {
  /// Natural logarithm.
  public var logProbability: Float
  /// Whether no other token was likelier.
  public var isGreedy: Bool

  public init(logProbability: Float, isGreedy: Bool) {
    self.logProbability = logProbability
    self.isGreedy = isGreedy
  }
}

/// One thread's view of a pass: everything it needs in local constants.
private struct Worker {
  let kernels: Kernels
  let model: LlamaModel
  let config: ModelConfig
  let s: Scratch
  let team: ThreadTeam
  let thread: Int
  let threadCount: Int
  let rowCount: Int
  let segmentCount: Int
  let hidden: Int
  let intermediate: Int
  let queryWidth: Int
  let kvWidth: Int
  let ownScratch: UnsafeMutableRawPointer
  /// The rows of the batch that this thread norms, packs and rotates.
  let ownRows: Range<Int>
  let residualTaps: [ResidualTap]
  let attentionTaps: [AttentionTap]
  let edits: [RowEdit]

  init(pass: ForwardPass, thread: Int, threadCount: Int, team: ThreadTeam) {
    model = pass.model
    kernels = model.kernels
    config = model.config
    s = pass.scratch
    self.team = team
    self.thread = thread
    self.threadCount = threadCount
    rowCount = pass.rowCount
    segmentCount = pass.segmentCount
    hidden = config.hiddenSize
    intermediate = config.intermediateSize
    queryWidth = model.queryWidth
    kvWidth = model.kvWidth
    ownScratch = s.perThread[thread]
    ownRows = Self.rows(of: pass.rowCount, thread: thread, threadCount: threadCount)
    residualTaps = pass.residualTaps
    attentionTaps = pass.attentionTaps
    edits = pass.edits
  }

  /// Sixteen rows together are packed faster than one by one, where each thread has as many.
  private static func rows(of count: Int, thread: Int, threadCount: Int) -> Range<Int> {
    teamSlice(count, thread: thread, of: threadCount, multiple: count >= 16 * threadCount ? 16 : 1)
  }

  func embed() {
    let half = config.headDim / 2
    for i in ownRows {
      kernels.dequantizeRow(s.x + i * hidden, model.embedding, row: Int(s.rows[i].token))
      model.rope.angles(position: s.rows[i].position, cosine: s.cosine + i * half, sine: s.sine + i * half)
    }
    edit(.residual, layer: 0, s.x)
    tap(layer: 0)
  }

  func run(layer index: Int) {
    let layer = model.layers[index]
    let pageOffset = index * model.layout.layerBytes

    // The residual of the layer before has been added by the same thread that norms the row here.
    for i in ownRows {
      kernels.rmsNorm(
        s.normed + i * hidden, s.x + i * hidden, weight: layer.inputNorm, count: hidden, eps: config.rmsNormEps)
    }
    pack(s.normed, width: hidden, layer.query.type, layer.key.type, layer.value.type)
    team.barrier()

    project(layer.query, s.normed, width: hidden, into: s.q)
    project(layer.key, s.normed, width: hidden, into: s.k)
    project(layer.value, s.normed, width: hidden, into: s.v)
    team.barrier()

    rotateAndStore(pageOffset: pageOffset)
    team.barrier()

    attend(pageOffset: pageOffset)
    tapAttention(layer: index + 1, pageOffset: pageOffset)
    team.barrier()

    pack(s.attended, width: queryWidth, layer.output.type)
    team.barrier()

    project(layer.output, s.attended, width: queryWidth, into: s.projected)
    team.barrier()

    edit(.attention, layer: index + 1, s.projected)
    for i in ownRows {
      kernels.add(s.x + i * hidden, s.projected + i * hidden, count: hidden)
      kernels.rmsNorm(
        s.normed + i * hidden, s.x + i * hidden, weight: layer.postAttentionNorm, count: hidden,
        eps: config.rmsNormEps)
    }
    pack(s.normed, width: hidden, layer.gate.type, layer.up.type)
    team.barrier()

    gateAndUp(layer)
    team.barrier()

    pack(s.gate, width: intermediate, layer.down.type)
    team.barrier()

    project(layer.down, s.gate, width: intermediate, into: s.projected)
    team.barrier()

    edit(.mlp, layer: index + 1, s.projected)
    for i in ownRows { kernels.add(s.x + i * hidden, s.projected + i * hidden, count: hidden) }
    edit(.residual, layer: index + 1, s.x)
    tap(layer: index + 1)
  }

  /// Lets every row's residual be seen by all before the head gathers rows.
  func finish() { team.barrier() }

  // MARK: Steps

  /// Rounds this thread's rows for the products to come, once for each type of weight among them.
  private func pack(
    _ input: UnsafeMutablePointer<Float>, width: Int, _ first: WeightType, _ second: WeightType? = nil,
    _ third: WeightType? = nil
  ) {
    guard model.precision == .fast else { return }
    pack(input, width: width, first)
    if let second, second != first { pack(input, width: width, second) }
    if let third, third != first, third != second { pack(input, width: width, third) }
  }

  private func pack(_ input: UnsafeMutablePointer<Float>, width: Int, _ type: WeightType) {
    kernels.pack(
      packedRows(type), xStride: s.packedRowBytes, m: rowCount, input, inputStride: width, rows: ownRows, cols: width,
      type: type)
  }

  private func packedRows(_ type: WeightType) -> UnsafeMutableRawPointer {
    var index = 0
    while model.hiddenTypes[index] != type { index += 1 }
    return s.packed[index]
  }

  /// Rows of weights that a piece holds: pieces that end with 64 to 256 were equally fast.
  private static let leastOutputs = 128

  /// out[i] = W input[i] + bias for all rows i of the batch, which the threads share.
  private func project(
    _ projection: LlamaModel.Projection, _ input: UnsafeMutablePointer<Float>, width: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    team.share(projection.matrix.rows, multiple: 16, least: Self.leastOutputs, thread: thread) { outputs in
      project(projection, input, width: width, outputs: outputs, rowCount: rowCount, into: out)
    }
  }

  private func project(
    _ projection: LlamaModel.Projection, _ input: UnsafeMutablePointer<Float>, width: Int, outputs: Range<Int>,
    rowCount: Int, into out: UnsafeMutablePointer<Float>
  ) {
    let stride = projection.matrix.rows
    switch model.precision {
    case .fast:
      kernels.matmul(
        out, outStride: stride, projection.matrix, rows: outputs, x: packedRows(projection.type),
        xStride: s.packedRowBytes, m: rowCount, scratch: ownScratch)
    case .f32:
      kernels.matmulF32(
        out, outStride: stride, projection.matrix, rows: outputs, x: input, xStride: width, m: rowCount)
    }
    if let bias = projection.bias {
      for i in 0..<rowCount {
        kernels.add(out + i * stride + outputs.lowerBound, bias + outputs.lowerBound, count: outputs.count)
      }
    }
  }

  private func rotateAndStore(pageOffset: Int) {
    let half = config.headDim / 2
    for i in ownRows {
      let cosine = s.cosine + i * half
      let sine = s.sine + i * half
      kernels.rope(
        s.q + i * queryWidth, heads: config.numAttentionHeads, headDim: config.headDim, cosine: cosine, sine: sine)
      kernels.rope(
        s.k + i * kvWidth, heads: config.numKeyValueHeads, headDim: config.headDim, cosine: cosine, sine: sine)
      let (page, slot) = s.rows[i].position.quotientAndRemainder(dividingBy: KVLayout.pagePositions)
      let base = UnsafeMutableRawPointer(mutating: s.segments[s.rows[i].segment].pages[page]!)
      kernels.storeKV(
        model.layout, page: base + pageOffset, slot: slot, key: s.k + i * kvWidth, value: s.v + i * kvWidth)
    }
  }

  /// Queries are cut into blocks so that a long prompt spreads over the threads even with a single head.
  private static let queryBlock = 64
  /// Neighbouring heads lie side by side in a page: fewer at a time make shorter runs of memory.
  private static let leastHeads = 8

  private func attend(pageOffset: Int) {
    let scale = Float(1 / Double(config.headDim).squareRoot())
    for index in 0..<segmentCount {
      let segment = s.segments[index]
      for start in stride(from: 0, to: segment.count, by: Self.queryBlock) {
        let offset = (segment.firstRow + start) * queryWidth
        team.share(config.numKeyValueHeads, least: Self.leastHeads, thread: thread) { kvHeads in
          kernels.attend(
            s.attended + offset, q: s.q + offset, stride: queryWidth,
            queries: min(Self.queryBlock, segment.count - start), firstPosition: segment.firstPosition + start,
            layout: model.layout, pages: segment.pages, pageOffset: pageOffset, kvHeads: kvHeads, group: model.group,
            scale: scale, scratch: ownScratch)
        }
      }
    }
  }

  /// silu(W_gate x) * (W_up x), whose columns the threads share; the result replaces `gate`.
  private func gateAndUp(_ layer: LlamaModel.Layer) {
    team.share(intermediate, multiple: 16, least: Self.leastOutputs, thread: thread) { columns in
      project(layer.gate, s.normed, width: hidden, outputs: columns, rowCount: rowCount, into: s.gate)
      project(layer.up, s.normed, width: hidden, outputs: columns, rowCount: rowCount, into: s.up)
      for i in 0..<rowCount {
        let offset = i * intermediate + columns.lowerBound
        kernels.swiglu(s.gate + offset, gate: s.gate + offset, up: s.up + offset, count: columns.count)
      }
    }
  }

  // MARK: Looking and changing

  /// `values`: [rows, hidden], of which each thread changes its own rows.
  private func edit(_ site: Patch.Site, layer: Int, _ values: UnsafeMutablePointer<Float>) {
    for edit in edits where edit.layer == layer && edit.site == site && ownRows.contains(edit.row) {
      let row = values + edit.row * hidden
      switch edit.change {
      case .add(let vector): kernels.add(row, vector, count: hidden)
      case .replace(let vector): row.update(from: vector, count: hidden)
      case .scale(let factor): kernels.scale(row, by: factor, count: hidden)
      }
    }
  }

  private func tap(layer: Int) {
    for tap in residualTaps where tap.layer == layer && ownRows.contains(tap.row) {
      let row = s.x + tap.row * hidden
      if tap.isNormed {
        kernels.rmsNorm(tap.out, row, weight: model.norm, count: hidden, eps: config.rmsNormEps)
      } else {
        tap.out.update(from: row, count: hidden)
      }
    }
  }

  private func tapAttention(layer: Int, pageOffset: Int) {
    let scale = Float(1 / Double(config.headDim).squareRoot())
    for (index, tap) in attentionTaps.enumerated() where tap.layer == layer && index % threadCount == thread {
      let row = s.rows[tap.row]
      kernels.attentionProbabilities(
        tap.out, q: s.q + tap.row * queryWidth + tap.head * config.headDim, visible: row.position + 1,
        layout: model.layout, pages: s.segments[row.segment].pages, pageOffset: pageOffset,
        kvHead: tap.head / model.group, scale: scale)
    }
  }

  // MARK: Logits

  /// Final norm, output head, and what was asked of each row's logits.
  func head(_ block: Range<Int>) {
    let own = Self.rows(of: block.count, thread: thread, threadCount: threadCount)
    for i in own {
      let residual = s.headRows[block.lowerBound + i].residual
      kernels.rmsNorm(s.normed + i * hidden, residual, weight: model.norm, count: hidden, eps: config.rmsNormEps)
    }
    if model.precision == .fast {
      kernels.pack(
        packedRows(model.head.type), xStride: s.packedRowBytes, m: block.count, s.normed, inputStride: hidden,
        rows: own,
        cols: hidden, type: model.head.type)
    }
    team.barrier()

    let vocab = config.vocabSize
    team.share(vocab, multiple: 16, least: Self.leastOutputs, thread: thread) { outputs in
      project(model.head, s.normed, width: hidden, outputs: outputs, rowCount: block.count, into: s.logits)
    }
    team.barrier()

    for i in own {
      let entry = s.headRows + block.lowerBound + i
      let logits = UnsafeBufferPointer(start: s.logits + i * vocab, count: vocab)
      let normalizer = kernels.logSumExp(logits)
      entry.pointee.isFinite = normalizer.isFinite
      if let out = entry.pointee.logits { out.update(from: logits.baseAddress!, count: vocab) }
      if let score = entry.pointee.score {
        let target = Int(entry.pointee.target)
        score.pointee = TokenScore(
          logProbability: logits[target] - normalizer, isGreedy: kernels.argmax(logits).index == target)
      }
    }
    team.barrier()
  }
}
