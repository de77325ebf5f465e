/// A SentencePiece `ModelProto` in protobuf's wire format: the pieces, and the settings that decide how text is cut.
///
/// Field numbers: sentencepiece_model.proto of google/sentencepiece.
enum SentencePieceModelWriter {
  static func bytes(_ vocabulary: GGUFVocabulary, scores: [Float]) -> [UInt8] {
    var model = ProtobufText()
    for (index, token) in vocabulary.tokens.enumerated() {
      var piece = ProtobufText()
      piece.append(1, string: token)
      piece.append(2, float: scores[index])
      piece.append(3, integer: Int(vocabulary.types[index].rawValue))
      model.append(1, message: piece)
    }
    var trainer = ProtobufText()
    trainer.append(3, integer: 2)  // model_type: BPE
    trainer.append(4, integer: vocabulary.tokens.count)
    trainer.append(35, integer: vocabulary.types.contains(.byte) ? 1 : 0)  // byte_fallback
    trainer.append(40, integer: Int(vocabulary.unknown ?? 0))
    trainer.append(41, integer: Int(vocabulary.bos ?? -1))
    trainer.append(42, integer: Int(vocabulary.eos ?? -1))
    trainer.append(43, integer: -1)  // pad_id: SentencePiece itself pads with nothing
    model.append(2, message: trainer)
    var normalizer = ProtobufText()
    normalizer.append(1, string: "identity")
    normalizer.append(3, integer: vocabulary.addsSpacePrefix ? 1 : 0)  // add_dummy_prefix
    normalizer.append(4, integer: 0)  // remove_extra_whitespaces
    normalizer.append(5, integer: 1)  // escape_whitespaces
    model.append(3, message: normalizer)
    return model.bytes
  }
}

/// Protobuf fields, one after another.
private struct ProtobufText {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ field: Int, integer: Int) {
    appendVarint(UInt64(field) << 3)
    appendVarint(UInt64(bitPattern: Int64(integer)))
  }

  mutating func append(_ field: Int, float: Float) {
    appendVarint(UInt64(field) << 3 | 5)
    withUnsafeBytes(of: float.bitPattern.littleEndian) { bytes += Array($0) }
  }

  mutating func append(_ field: Int, string: String) { append(field, block: Array(string.utf8)) }

  mutating func append(_ field: Int, message: ProtobufText) { append(field, block: message.bytes) }

  private mutating func append(_ field: Int, block: [UInt8]) {
    appendVarint(UInt64(field) << 3 | 2)
    appendVarint(UInt64(block.count))
    bytes += block
  }

  private mutating func appendVarint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(value))
  }
}
