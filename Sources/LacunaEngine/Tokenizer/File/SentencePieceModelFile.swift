/// A tokenizer.model: sentencepiece's ModelProto, as far as BPE models need it.
///
/// Field numbers are those of sentencepiece_model.proto.
package struct SentencePieceModelFile {
  private(set) var pieces: [String] = []
  private(set) var scores: [Float] = []
  private(set) var types: [Int32] = []
  private(set) var rules = SentencePieceRules()
  private(set) var bos: TokenID? = 1
  private(set) var eos: TokenID? = 2
  private let file: String
  // TrainerSpec.model_type, whose default is unigram.
  private var modelType: UInt64 = 1
  private var normalizerName = ""
  private var hasCharacterMap = false
  private var suffixesSpaces = false

  /// - Parameter rows: how many tokens the model knows; a larger vocabulary is refused before it is kept.
  /// - Throws: `malformed` for what is not a ModelProto, `unsupported` for a model that is not BPE or whose
  ///   normalizer is not the identity.
  package init(_ data: [UInt8], rows: Int = 1 << 20, file: String) throws(LacunaError) {
    self.file = file
    rules.byteFallback = false
    var reader = ProtobufReader(data, file: file)
    while let (field, value) = try reader.next() {
      guard case .bytes(let range) = value else { continue }
      switch field {
      case 1:
        guard pieces.count < rows else {
          throw LacunaError(
            .malformed, file: file, field: "pieces", expected: "at most \(rows), the rows of the model", found: "more")
        }
        try readPiece(data, range)
      case 2: try readTrainerSpec(data, range)
      case 3: try readNormalizerSpec(data, range)
      default: break
      }
    }
    try check()
    bos = controlToken(bos)
    eos = controlToken(eos)
  }

  /// - Parameters:
  ///   - bos, eos: what the checkpoint's configuration says; nil leaves the model's own.
  package func makeTokenizer(
    bos: TokenID? = nil, eos: TokenID? = nil, addsBOS: Bool = true, prefixesEverySegment: Bool = true,
    added: [AddedToken] = []
  ) throws(LacunaError) -> SentencePieceTokenizer {
    var rules = rules
    rules.prefixesEverySegment = prefixesEverySegment
    return try SentencePieceTokenizer(
      pieces: pieces, scores: scores, types: types, bos: bos ?? self.bos, eos: eos ?? self.eos, addsBOS: addsBOS,
      rules: rules, added: added, file: file)
  }

  private mutating func readPiece(_ data: [UInt8], _ range: Range<Int>) throws(LacunaError) {
    var reader = ProtobufReader(data, range: range, file: file)
    var piece = ""
    var score: Float = 0
    var type = PieceType.normal.rawValue
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let range)): piece = try text(data, range, "piece \(pieces.count)")
      case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
      case (3, .varint(let code)): type = Int32(truncatingIfNeeded: min(code, 99))
      case (1...3, _): throw wrongKind("piece \(pieces.count), field \(field)")
      default: break
      }
    }
    pieces.append(piece)
    scores.append(score)
    types.append(type)
  }

  private mutating func readTrainerSpec(_ data: [UInt8], _ range: Range<Int>) throws(LacunaError) {
    var reader = ProtobufReader(data, range: range, file: file)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (3, .varint(let type)): modelType = type
      case (24, .varint(let flag)): suffixesSpaces = flag != 0
      case (35, .varint(let flag)): rules.byteFallback = flag != 0
      // int32 fields: negative numbers, which say that there is no such token, come as ten bytes.
      case (41, .varint(let id)): bos = Self.id(id)
      case (42, .varint(let id)): eos = Self.id(id)
      case (3, _), (24, _), (35, _), (41, _), (42, _): throw wrongKind("trainer_spec, field \(field)")
      default: break
      }
    }
  }

  private mutating func readNormalizerSpec(_ data: [UInt8], _ range: Range<Int>) throws(LacunaError) {
    rules.removesExtraSpaces = true  // the field's default
    var reader = ProtobufReader(data, range: range, file: file)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let range)): normalizerName = try text(data, range, "normalizer_spec.name")
      case (2, .bytes(let range)): hasCharacterMap = !range.isEmpty
      case (3, .varint(let flag)): rules.dummyPrefix = flag != 0 ? .always : .never
      case (4, .varint(let flag)): rules.removesExtraSpaces = flag != 0
      case (5, .varint(let flag)): rules.escapesSpaces = flag != 0
      case (1...5, _): throw wrongKind("normalizer_spec, field \(field)")
      default: break
      }
    }
  }

  private func check() throws(LacunaError) {
    guard !pieces.isEmpty else {
      throw LacunaError(.malformed, file: file, field: "pieces", expected: "a SentencePiece vocabulary", found: "none")
    }
    guard modelType == 2 else {
      let names = [1: "unigram", 3: "word", 4: "char"]
      throw LacunaError(
        .unsupported, file: file, field: "trainer_spec.model_type", expected: "bpe",
        found: names[Int(truncatingIfNeeded: modelType)] ?? "\(modelType)")
    }
    guard !hasCharacterMap else {
      throw LacunaError(
        .unsupported, file: file, field: "normalizer_spec.precompiled_charsmap", expected: "the identity (none)",
        found: "a map named \"\(normalizerName.clipped)\"")
    }
    guard !suffixesSpaces else {
      throw LacunaError(
        .unsupported, file: file, field: "trainer_spec.treat_whitespace_as_suffix", expected: "false", found: "true")
    }
  }

  private func controlToken(_ id: TokenID?) -> TokenID? {
    guard let id, types.indices.contains(Int(id)), types[Int(id)] == PieceType.control.rawValue else { return nil }
    return id
  }

  private static func id(_ value: UInt64) -> TokenID? {
    let id = TokenID(truncatingIfNeeded: value)
    return id < 0 ? nil : id
  }

  private func text(_ data: [UInt8], _ range: Range<Int>, _ field: String) throws(LacunaError) -> String {
    guard let text = String(validating: data[range], as: UTF8.self) else {
      throw LacunaError(.malformed, file: file, field: field, expected: "UTF-8", found: "an ill-formed sequence")
    }
    return text
  }

  private func wrongKind(_ field: String) -> LacunaError {
    LacunaError(
      .malformed, file: file, field: field, expected: "the type of sentencepiece_model.proto", found: "another")
  }
}
