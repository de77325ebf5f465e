/// A change to the residual stream of a sequence, or to what one block adds to it.
///
/// Vaswani et al.'s residual stream as Elhage et al. (2021) speak of it: every block's attention and MLP read it and add
/// to it. Steering adds a direction to it (Turner et al. 2023), activation patching replaces it by another run's (Meng
/// et al. 2022), ablation scales a part's output by 0.
public struct Patch: Sendable {
  public enum Site: String, Sendable, CaseIterable {
    /// The stream behind a block; behind "block" 0, the embedding.
    case residual = "resid"
    /// What a block's attention adds, its output projection included.
    case attention = "attn"
    /// What a block's MLP adds.
    case mlp
  }

  public enum Change: Sendable {
    /// Adds the vector, [hiddenSize].
    case add([Float])
    /// Puts the vector, [hiddenSize], in place of what is there.
    case replace([Float])
    /// Multiplies what is there.
    case scale(Float)
  }

  /// Positions count from 0 in the whole sequence, whatever of it a pass evaluates.
  public enum Positions: Sendable, Equatable {
    case all
    /// This one and every later one.
    case from(Int)
    case only(Set<Int>)
  }

  /// Numbered as Hugging Face numbers `hidden_states`: 0 is the embedding's output, n the output of block n.
  public let layer: Int
  public let site: Site
  public var positions: Positions
  /// nil: scale by `factor`.
  private let vector: SharedBuffer?
  private let vectorCount: Int
  private let factor: Float
  private let isReplacing: Bool

  /// - Throws: `invalidArgument` for numbers that are not finite.
  public init(layer: Int, at site: Site, _ change: Change, positions: Positions = .all) throws(LacunaError) {
    self.layer = layer
    self.site = site
    self.positions = positions
    switch change {
    case .add(let values), .replace(let values):
      guard values.allSatisfy(\.isFinite) else {
        throw LacunaError(.invalidArgument, "patch: expected a vector of finite numbers, found another")
      }
      let buffer = try AlignedBuffer(byteCount: values.count * MemoryLayout<Float>.stride)
      for (index, value) in values.enumerated() { buffer.floats()[index] = value }
      vector = SharedBuffer(buffer)
      vectorCount = values.count
      factor = 1
    case .scale(let factor):
      guard factor.isFinite else {
        throw LacunaError(.invalidArgument, "patch: expected a finite factor, found \(factor)")
      }
      vector = nil
      vectorCount = 0
      self.factor = factor
    }
    if case .replace = change { isReplacing = true } else { isReplacing = false }
  }

  /// Bytes of memory that its vector takes.
  package var byteCount: Int { vector?.storage.pageByteCount ?? 0 }

  /// - Throws: `invalidArgument` unless the model has the layer, and the vector its width.
  public func check(_ engine: Engine) throws(LacunaError) {
    let config = engine.config
    let first = site == .residual ? 0 : 1
    guard (first...config.numHiddenLayers).contains(layer) else {
      throw LacunaError(
        .invalidArgument,
        "patch of \(engine.info.name), at \"\(site.rawValue)\": expected a layer from \(first) to "
          + "\(config.numHiddenLayers), found \(layer)")
    }
    guard vector == nil || vectorCount == config.hiddenSize else {
      throw LacunaError(
        .invalidArgument,
        "patch of \(engine.info.name): expected a vector of \(config.hiddenSize) elements, found \(vectorCount)")
    }
  }

  func applies(at position: Int) -> Bool {
    switch positions {
    case .all: true
    case .from(let first): position >= first
    case .only(let positions): positions.contains(position)
    }
  }

  /// Valid while this patch lives.
  func edit(row: Int) -> RowEdit {
    let change: RowEdit.Change
    if let vector {
      let floats = UnsafePointer(vector.storage.floats())
      change = isReplacing ? .replace(floats) : .add(floats)
    } else {
      change = .scale(factor)
    }
    return RowEdit(row: row, layer: layer, site: site, change: change)
  }
}
