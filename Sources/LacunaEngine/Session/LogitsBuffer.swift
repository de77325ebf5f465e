/// A vocabulary's worth of floats that stages may change.
final class LogitsBuffer {
  private let memory: AlignedBuffer
  let values: UnsafeMutableBufferPointer<Float>

  init(count: Int) throws(LacunaError) {
    memory = try AlignedBuffer(byteCount: count * MemoryLayout<Float>.stride)
    values = UnsafeMutableBufferPointer(start: memory.floats(), count: count)
  }

  func copy(_ logits: UnsafeBufferPointer<Float>) { _ = values.update(from: logits) }
}
