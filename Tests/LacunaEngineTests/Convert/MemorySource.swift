import LacunaEngine

/// A checkpoint in memory: a small Llama whose values follow a formula, stored as float32.
struct MemorySource: CheckpointSource {
  let path = "memory"
  var config = ModelConfig(
    vocabSize: 10, hiddenSize: 8, intermediateSize: 12, numHiddenLayers: 2, numAttentionHeads: 2,
    numKeyValueHeads: 1, headDim: 4, maxPositionEmbeddings: 64)
  let formatDescription = "F32"
  let chatTemplate: String? = nil
  let fingerprint = ""
  let warnings: [String] = []
  let owners: [any Sendable] = []
  /// An element that is replaced: tensor, row, column, value.
  var fault: (name: String, row: Int, col: Int, value: Float)?

  var tensors: [StoredTensor] {
    config.llamaTensors.map { tensor in
      StoredTensor(name: tensor.name, shape: tensor.shape, typeName: "F32", byteCount: tensor.shape.reduce(4, *))
    }
  }

  func matrix(_ name: String) -> WeightMatrix? { nil }
  func makeTokenizer() throws(LacunaError) -> (any Tokenizer)? { nil }

  func value(_ name: String, _ row: Int, _ col: Int) -> Float {
    if let fault, fault.name == name, fault.row == row, fault.col == col { return fault.value }
    let number = tensors.firstIndex { $0.name == name } ?? 0
    // Not exact in bfloat16, so that rounding shows.
    return Float((number * 37 + row * 11 + col * 5) % 101 - 50) / 33
  }

  func readRows(_ name: String, _ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    let cols = tensors.first { $0.name == name }?.cols ?? 0
    for (index, row) in rows.enumerated() {
      for col in 0..<cols { out[index * cols + col] = value(name, row, col) }
    }
  }
}
