// What a pass reads out of the model, and what it changes in it, beside its proper work. Lists of both are filled by
// PassRunner before a pass; a pass without any has nothing to look up.

/// A row of the residual stream that is copied out behind a layer.
struct ResidualTap {
  let row: Int
  /// 0 is the embedding's output, n the output of block n.
  let layer: Int
  /// Whether the model's last norm is applied to the copy.
  let isNormed: Bool
  /// [hidden]
  let out: UnsafeMutablePointer<Float>
}

/// The attention of one head from one row.
struct AttentionTap {
  let row: Int
  /// 1 is the first block.
  let layer: Int
  let head: Int
  /// [position + 1]: a probability for each position that the row sees.
  let out: UnsafeMutablePointer<Float>
}

/// A change to one row where a patch says.
struct RowEdit {
  enum Change {
    /// [hidden]
    case add(UnsafePointer<Float>)
    case replace(UnsafePointer<Float>)
    case scale(Float)
  }

  let row: Int
  let layer: Int
  let site: Patch.Site
  let change: Change
}
