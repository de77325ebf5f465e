/// A checkpoint on disk, whatever its format: what the loader and the converter read from.
///
/// Tensors go by their Hugging Face names ("model.layers.0.self_attn.q_proj.weight"), values in Hugging Face's
/// order of rows. Opening a source validates every header, shape, offset and scale; nothing after that can fail
/// for the file's fault.
package protocol CheckpointSource: Sendable {
  /// The directory or file, as the user named it.
  var path: String { get }
  var config: ModelConfig { get }
  /// "compressed-tensors float-quantized, channel", "GGUF Q8_0", "bfloat16": for people.
  var formatDescription: String { get }
  /// The Jinja text of the checkpoint's chat template, if it has one.
  var chatTemplate: String? { get }
  /// SHA-256 in hex over the configuration, the headers and samples of the tensors' bytes; the same for the same
  /// files wherever they lie.
  var fingerprint: String { get }
  /// What was odd about the files, and harmless: unknown tensors, say.
  var warnings: [String] { get }
  /// What the matrices point into; kept alive by whoever holds one.
  var owners: [any Sendable] { get }

  /// Every tensor that belongs to the model, in file order (scales are part of their weight).
  var tensors: [StoredTensor] { get }

  /// The matrix in place, with its scales, if it can run as it is stored; nil if it must be decoded first.
  func matrix(_ name: String) -> WeightMatrix?

  /// The type of a matrix of plain numbers, whether or not it can run in place; nil for codes and blocks.
  func plainType(_ name: String) -> WeightType?

  /// Rows of a tensor as float32, scales applied; a vector is one row. out: rows.count * cols floats.
  func readRows(_ name: String, _ rows: Range<Int>, into out: UnsafeMutablePointer<Float>)

  /// The checkpoint's own tokenizer; nil if it has none.
  func makeTokenizer() throws(LacunaError) -> (any Tokenizer)?
}

extension CheckpointSource {
  package var warnings: [String] { [] }

  package func plainType(_ name: String) -> WeightType? {
    let type = matrix(name)?.type
    return type == .e4m3 ? nil : type
  }
}

package struct StoredTensor: Sendable {
  package let name: String
  package let shape: [Int]
  /// "F32", "BF16", "F8_E4M3", "Q8_0": the format's own word.
  package let typeName: String
  package let byteCount: Int

  package init(name: String, shape: [Int], typeName: String, byteCount: Int) {
    self.name = name
    self.shape = shape
    self.typeName = typeName
    self.byteCount = byteCount
  }

  package var rows: Int { shape.count > 1 ? shape[0] : 1 }
  package var cols: Int { shape.last ?? 1 }
}
