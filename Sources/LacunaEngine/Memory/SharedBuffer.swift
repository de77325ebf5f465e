/// An `AlignedBuffer` that several owners keep alive.
package final class SharedBuffer: Sendable {
  package let storage: AlignedBuffer

  package init(_ storage: consuming AlignedBuffer) { self.storage = storage }
}
