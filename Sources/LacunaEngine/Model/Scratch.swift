/// The memory of one forward pass, allocated once for the largest: up to `rowCapacity` tokens, logits for up to
/// `headCapacity` of them at a time.
final class Scratch: @unchecked Sendable {
  // SAFETY: written only by the pass that runs, each part between two barriers by one thread.

  /// Tokens of one pass. Longer work is cut into passes.
  static let rowCapacity = 512
  /// Rows whose logits exist at the same time.
  static let headCapacity = 64
  /// Rows whose logits one pass may make: each token's, and as many again of earlier layers.
  static let headRowCapacity = 2 * rowCapacity

  let rows: UnsafeMutablePointer<ForwardPass.Row>  // [rowCapacity]
  let segments: UnsafeMutablePointer<ForwardPass.Segment>  // [rowCapacity]
  let headRows: UnsafeMutablePointer<ForwardPass.HeadRow>  // [headRowCapacity]

  let x: UnsafeMutablePointer<Float>  // [rows, hidden] the residual stream
  let normed: UnsafeMutablePointer<Float>  // [rows, hidden]
  let q: UnsafeMutablePointer<Float>  // [rows, heads * headDim]
  let k: UnsafeMutablePointer<Float>  // [rows, kvHeads * headDim]
  let v: UnsafeMutablePointer<Float>  // [rows, kvHeads * headDim]
  let attended: UnsafeMutablePointer<Float>  // [rows, heads * headDim]
  let gate: UnsafeMutablePointer<Float>  // [rows, intermediate]
  let up: UnsafeMutablePointer<Float>  // [rows, intermediate]
  let projected: UnsafeMutablePointer<Float>  // [rows, hidden]
  let cosine: UnsafeMutablePointer<Float>  // [rows, headDim / 2]
  let sine: UnsafeMutablePointer<Float>  // [rows, headDim / 2]
  let logits: UnsafeMutablePointer<Float>  // [headCapacity, vocab]
  /// Packed activations: one copy of the rows for each type of weight; the widest input decides the stride.
  let packed: [UnsafeMutableRawPointer]
  let packedRowBytes: Int
  /// What each thread needs inside a kernel.
  let perThread: [UnsafeMutableRawPointer]

  private let memory: AlignedBuffer

  init(model: LlamaModel, threadCount: Int) throws(LacunaError) {
    let plan = Plan(
      config: model.config, types: model.hiddenTypes, layout: model.layout, kernels: model.kernels,
      threadCount: threadCount)
    packedRowBytes = plan.packedRowBytes
    let capacity = Self.rowCapacity
    memory = try AlignedBuffer(byteCount: plan.byteCount)
    let base = memory.base
    rows = (base + plan.rows).bindMemory(to: ForwardPass.Row.self, capacity: capacity)
    segments = (base + plan.segments).bindMemory(to: ForwardPass.Segment.self, capacity: capacity)
    headRows = (base + plan.headRows).bindMemory(to: ForwardPass.HeadRow.self, capacity: Self.headRowCapacity)
    x = memory.floats(at: plan.x)
    normed = memory.floats(at: plan.normed)
    q = memory.floats(at: plan.q)
    k = memory.floats(at: plan.k)
    v = memory.floats(at: plan.v)
    attended = memory.floats(at: plan.attended)
    gate = memory.floats(at: plan.gate)
    up = memory.floats(at: plan.up)
    projected = memory.floats(at: plan.projected)
    cosine = memory.floats(at: plan.cosine)
    sine = memory.floats(at: plan.sine)
    logits = memory.floats(at: plan.logits)
    packed = plan.packed.map { base + $0 }
    perThread = plan.perThread.map { base + $0 }
  }

  /// Bytes that a model's scratch may grow to; what is never used is never resident.
  var byteCount: Int { memory.byteCount }
}

extension Scratch {
  /// Where every part lies, by sizes alone: also what tells how much memory a model would take.
  struct Plan {
    let packedRowBytes: Int
    let byteCount: Int
    fileprivate let rows, segments, headRows: Int
    fileprivate let x, normed, q, k, v, attended, gate, up, projected, cosine, sine, logits: Int
    fileprivate let packed, perThread: [Int]

    /// - Parameter types: those that activations are packed for.
    init(config: ModelConfig, types: [WeightType], layout: KVLayout, kernels: Kernels, threadCount: Int) {
      let capacity = Scratch.rowCapacity
      let queryWidth = config.numAttentionHeads * config.headDim
      let kvWidth = config.numKeyValueHeads * config.headDim
      let group = config.numAttentionHeads / config.numKeyValueHeads
      let widest = max(config.hiddenSize, config.intermediateSize, queryWidth)
      let packedRowBytes = types.map { kernels.packedRowBytes(cols: widest, type: $0) }.max() ?? 64
      let threadBytes = max(
        kernels.matmulScratchBytes(cols: widest), kernels.attendScratchBytes(layout, group: group), 64)

      var arena = Arena()
      rows = arena.add(ForwardPass.Row.self, capacity)
      segments = arena.add(ForwardPass.Segment.self, capacity)
      headRows = arena.add(ForwardPass.HeadRow.self, Scratch.headRowCapacity)
      x = arena.add(Float.self, capacity * config.hiddenSize)
      normed = arena.add(Float.self, capacity * config.hiddenSize)
      q = arena.add(Float.self, capacity * queryWidth)
      k = arena.add(Float.self, capacity * kvWidth)
      v = arena.add(Float.self, capacity * kvWidth)
      attended = arena.add(Float.self, capacity * queryWidth)
      gate = arena.add(Float.self, capacity * config.intermediateSize)
      up = arena.add(Float.self, capacity * config.intermediateSize)
      projected = arena.add(Float.self, capacity * config.hiddenSize)
      cosine = arena.add(Float.self, capacity * config.headDim / 2)
      sine = arena.add(Float.self, capacity * config.headDim / 2)
      logits = arena.add(Float.self, Scratch.headCapacity * config.vocabSize)
      packed = types.map { _ in arena.add(UInt8.self, capacity * packedRowBytes) }
      perThread = (0..<threadCount).map { _ in arena.add(UInt8.self, threadBytes) }
      self.packedRowBytes = packedRowBytes
      byteCount = arena.byteCount
    }
  }
}

/// Offsets of arrays laid one after the other, each at a cache line of its own.
private struct Arena {
  private(set) var byteCount = 0

  mutating func add<T>(_ type: T.Type, _ count: Int) -> Int {
    let offset = byteCount
    byteCount = (offset + count * MemoryLayout<T>.stride + 127) / 64 * 64
    return offset
  }
}
