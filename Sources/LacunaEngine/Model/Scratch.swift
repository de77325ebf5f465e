/// The memory of one forward pass, allocated once for the largest: up to `rowCapacity` tokens, logits for up to
/// `headCapacity` of them at a time.
final class Scratch: @unchecked Sendable {
  // SAFETY: written only by the pass that runs, each part by the thread that the pass assigns it to.

  /// Tokens of one pass. Longer work is cut into passes.
  static let rowCapacity = 512
  /// Rows whose logits exist at the same time.
  static let headCapacity = 64

  let rows: UnsafeMutablePointer<ForwardPass.Row>  // [rowCapacity]
  let segments: UnsafeMutablePointer<ForwardPass.Segment>  // [rowCapacity]
  let headRows: UnsafeMutablePointer<ForwardPass.HeadRow>  // [rowCapacity]

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
    let config = model.config
    let kernels = model.kernels
    let capacity = Self.rowCapacity
    let widest = max(config.hiddenSize, config.intermediateSize, model.queryWidth)
    let packedRowBytes = model.hiddenTypes.map { kernels.packedRowBytes(cols: widest, type: $0) }.max() ?? 64
    let threadBytes = max(
      kernels.matmulScratchBytes(cols: widest), kernels.attendScratchBytes(model.layout, group: model.group), 64)

    self.packedRowBytes = packedRowBytes
    var layout = ArenaLayout()
    let rows = layout.add(ForwardPass.Row.self, capacity)
    let segments = layout.add(ForwardPass.Segment.self, capacity)
    let headRows = layout.add(ForwardPass.HeadRow.self, capacity)
    let x = layout.add(Float.self, capacity * config.hiddenSize)
    let normed = layout.add(Float.self, capacity * config.hiddenSize)
    let q = layout.add(Float.self, capacity * model.queryWidth)
    let k = layout.add(Float.self, capacity * model.kvWidth)
    let v = layout.add(Float.self, capacity * model.kvWidth)
    let attended = layout.add(Float.self, capacity * model.queryWidth)
    let gate = layout.add(Float.self, capacity * config.intermediateSize)
    let up = layout.add(Float.self, capacity * config.intermediateSize)
    let projected = layout.add(Float.self, capacity * config.hiddenSize)
    let cosine = layout.add(Float.self, capacity * config.headDim / 2)
    let sine = layout.add(Float.self, capacity * config.headDim / 2)
    let logits = layout.add(Float.self, Self.headCapacity * config.vocabSize)
    let packed = model.hiddenTypes.map { _ in layout.add(UInt8.self, capacity * packedRowBytes) }
    let perThread = (0..<threadCount).map { _ in layout.add(UInt8.self, threadBytes) }

    memory = try AlignedBuffer(byteCount: layout.byteCount)
    let base = memory.base
    self.rows = (base + rows).bindMemory(to: ForwardPass.Row.self, capacity: capacity)
    self.segments = (base + segments).bindMemory(to: ForwardPass.Segment.self, capacity: capacity)
    self.headRows = (base + headRows).bindMemory(to: ForwardPass.HeadRow.self, capacity: capacity)
    self.x = memory.floats(at: x)
    self.normed = memory.floats(at: normed)
    self.q = memory.floats(at: q)
    self.k = memory.floats(at: k)
    self.v = memory.floats(at: v)
    self.attended = memory.floats(at: attended)
    self.gate = memory.floats(at: gate)
    self.up = memory.floats(at: up)
    self.projected = memory.floats(at: projected)
    self.cosine = memory.floats(at: cosine)
    self.sine = memory.floats(at: sine)
    self.logits = memory.floats(at: logits)
    self.packed = packed.map { base + $0 }
    self.perThread = perThread.map { base + $0 }
  }

  /// Bytes that a model's scratch may grow to; what is never used is never resident.
  var byteCount: Int { memory.byteCount }
}

/// Offsets of arrays laid one after the other, each at a cache line of its own.
private struct ArenaLayout {
  private(set) var byteCount = 0

  mutating func add<T>(_ type: T.Type, _ count: Int) -> Int {
    let offset = byteCount
    byteCount = (offset + count * MemoryLayout<T>.stride + 127) / 64 * 64
    return offset
  }
}
