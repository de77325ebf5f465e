/// The element types that a weight can be run in.
public enum WeightType: String, Sendable, CaseIterable {
  case f32, f16, bf16, e4m3

  package var byteCount: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .e4m3: 1
    }
  }
}

/// A matrix [rows, cols], row-major, in a mapped file or in memory that the `ModelWeights` around it keeps alive.
///
/// The value of an element is `data[r][c] * scales[r / blockRows][c / blockCols]`; without scales, the datum itself.
package struct WeightMatrix: @unchecked Sendable {
  // SAFETY: read-only, and alive as long as the ModelWeights that hands it out.
  package let data: UnsafeRawPointer
  package let scales: UnsafePointer<Float>?
  package let rows: Int
  package let cols: Int
  package let blockRows: Int
  package let blockCols: Int
  package let type: WeightType

  package init(
    data: UnsafeRawPointer, scales: UnsafePointer<Float>? = nil, rows: Int, cols: Int, blockRows: Int? = nil,
    blockCols: Int? = nil, type: WeightType
  ) {
    self.data = data
    self.scales = scales
    self.rows = rows
    self.cols = cols
    self.blockRows = blockRows ?? rows
    self.blockCols = blockCols ?? cols
    self.type = type
  }

  package var byteCount: Int { rows * cols * type.byteCount }

  /// Bytes of the scales beside the matrix.
  package var scaleByteCount: Int {
    guard scales != nil, blockRows > 0, blockCols > 0 else { return 0 }
    return 4 * ((rows + blockRows - 1) / blockRows) * ((cols + blockCols - 1) / blockCols)
  }
}

/// A projection: `y = W x + bias`.
package struct LinearWeights: Sendable {
  package var weight: WeightMatrix
  package var bias: [Float]?

  package init(weight: WeightMatrix, bias: [Float]? = nil) {
    self.weight = weight
    self.bias = bias
  }
}

package struct LayerWeights: Sendable {
  package var inputNorm: [Float]  // [hidden]
  package var query: LinearWeights  // [heads * headDim, hidden]
  package var key: LinearWeights  // [kvHeads * headDim, hidden]
  package var value: LinearWeights  // [kvHeads * headDim, hidden]
  package var output: LinearWeights  // [hidden, heads * headDim]
  package var postAttentionNorm: [Float]  // [hidden]
  package var gate: LinearWeights  // [intermediate, hidden]
  package var up: LinearWeights  // [intermediate, hidden]
  package var down: LinearWeights  // [hidden, intermediate]

  /// The projections, in the order of a forward pass.
  package var linears: [LinearWeights] { [query, key, value, output, gate, up, down] }

  package init(
    inputNorm: [Float], query: LinearWeights, key: LinearWeights, value: LinearWeights, output: LinearWeights,
    postAttentionNorm: [Float], gate: LinearWeights, up: LinearWeights, down: LinearWeights
  ) {
    self.inputNorm = inputNorm
    self.query = query
    self.key = key
    self.value = value
    self.output = output
    self.postAttentionNorm = postAttentionNorm
    self.gate = gate
    self.up = up
    self.down = down
  }
}

/// Everything that a forward pass multiplies by, and what keeps it in memory.
package final class ModelWeights: Sendable {
  package let embedding: WeightMatrix  // [vocab, hidden]
  package let layers: [LayerWeights]
  package let norm: [Float]  // [hidden]
  package let head: LinearWeights  // [vocab, hidden]; the embedding where the two are tied
  private let owners: [any Sendable]

  /// - Parameter owners: mapped files and buffers that the matrices point into.
  package init(
    embedding: WeightMatrix, layers: [LayerWeights], norm: [Float], head: LinearWeights, owners: [any Sendable]
  ) {
    self.embedding = embedding
    self.layers = layers
    self.norm = norm
    self.head = head
    self.owners = owners
  }
}

/// How weights are run, whatever they are stored as.
public enum WeightChoice: String, Sendable, CaseIterable {
  /// As they lie in the file.
  case stored
  /// Dequantized or rounded to bfloat16.
  case bf16
  /// E4M3 with one scale an output channel: absmax / 448, round to nearest even.
  case fp8
  /// E4M3 with one scale a matrix.
  case fp8Tensor = "fp8-tensor"
  /// Rounded as `RoundToNearest` does, and run in bf16: what the format does to a model, not its speed.
  case e5m2, int8, int4

  /// nil for formats that run as they are.
  package var rounding: RoundToNearest? { RoundToNearest(rawValue: rawValue) }
}
