/// A checkpoint that exists nowhere: random weights of a configuration's shapes, to be written to disk by the converter
/// for measuring how a real one loads.
package struct SyntheticSource: CheckpointSource {
  /// A folder with tokenizer files to take along.
  package let path: String
  package let config: ModelConfig
  package let formatDescription = "random bfloat16"
  package let chatTemplate: String? = nil
  package let fingerprint = "synthetic"
  package let owners: [any Sendable] = []
  package let tensors: [StoredTensor]
  /// A prime number of values, so that rows differ.
  private let values: [Float]
  private static let valueCount = 65_537

  package init(config: ModelConfig, path: String) {
    self.config = config
    self.path = path
    tensors = config.llamaTensors.map {
      StoredTensor(name: $0.name, shape: $0.shape, typeName: "BF16", byteCount: $0.shape.reduce(2, *))
    }
    var random = SeededRandom(seed: 11)
    values = (0..<Self.valueCount).map { _ in Float(random.normal() * 0.02) }
  }

  package func matrix(_ name: String) -> WeightMatrix? { nil }
  package func makeTokenizer() throws(LacunaError) -> (any Tokenizer)? { nil }

  package func readRows(_ name: String, _ rows: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    guard let tensor = tensors.first(where: { $0.name == name }) else { preconditionFailure("no tensor \(name)") }
    let isVector = tensor.shape.count < 2
    let count = rows.count * tensor.cols
    if isVector { return out.update(repeating: 1, count: count) }
    values.withUnsafeBufferPointer { values in
      var index = (rows.lowerBound * tensor.cols + name.utf8.count) % values.count
      for i in 0..<count {
        out[i] = values[index]
        index += 1
        if index == values.count { index = 0 }
      }
    }
  }

  /// Puts a SentencePiece model of `config.vocabSize` pieces, as large as a real one and of no meaning, into the folder.
  /// - Throws: `resource` naming the file.
  package func writeTokenizer() throws(LacunaError) {
    try OutputFile.write(tokenizerModel, to: "\(path)/tokenizer.model")
  }

  private var tokenizerModel: [UInt8] {
    var tokens = ["<unk>", "<s>", "</s>"]
    var types: [PieceType] = [.unknown, .control, .control]
    let hex = Array("0123456789ABCDEF")
    for byte in 0..<256 {
      tokens.append("<0x\(hex[byte >> 4])\(hex[byte & 15])>")
      types.append(.byte)
    }
    // Words over an alphabet of 16 letters, the short ones first: every prefix of a piece is a piece.
    let letters = Array("etaoinshrdlucmfw")
    var length = 1
    var number = 0
    while tokens.count < config.vocabSize {
      var word = ""
      var rest = number
      for _ in 0..<length {
        word.append(letters[rest & 15])
        rest >>= 4
      }
      tokens.append(word)
      types.append(.normal)
      number += 1
      if number == 1 << (4 * length) { (number, length) = (0, length + 1) }
    }
    let vocabulary = GGUFVocabulary(
      model: .sentencePiece(scores: []), tokens: tokens, types: types, bos: 1, eos: 2, unknown: 0, padding: nil,
      addsBOS: true, addsSpacePrefix: true)
    return SentencePieceModelWriter.bytes(vocabulary, scores: tokens.indices.map { -Float($0) })
  }
}
