import LacunaEngine

/// A checkpoint that is small on disk and slow to run, in many short layers: with `SlowCheckpoint.environment` and
/// `SlowCheckpoint.options` a prompt of some hundred tokens takes half a minute, so that a test can step in.
package struct SlowCheckpoint: Sendable {
  package static let environment = ["LACUNA_ISA": "scalar"]
  package static let options = ["--precision", "f32", "--threads", "1"]
  /// A token a letter: none of the tokenizer's words has a "z".
  package static let prompt = String(repeating: "z", count: 600)

  package let directory: TemporaryDirectory
  package var path: String { directory.path + "/model" }

  package init() throws {
    let config = ModelConfig(
      vocabSize: 512, hiddenSize: 256, intermediateSize: 256, numHiddenLayers: 48, numAttentionHeads: 4,
      numKeyValueHeads: 4, headDim: 64, maxPositionEmbeddings: 1024)
    directory = try TemporaryDirectory()
    // A folder for the tokenizer: the converter takes it along.
    try directory.write("", to: "tokenizer/README")
    let source = SyntheticSource(config: config, path: directory.path + "/tokenizer")
    try source.writeTokenizer()
    _ = try Converter.convert(source: source, to: path, type: .bf16)
  }
}
