import LacunaEngine

/// What a grammar adds to a token over a vocabulary of 32,000: the mask, its application to the logits, and the step
/// behind the token.
///
/// Texts that a generator drew come first and are not timed: what is measured is the steady state, in which most places of
/// the grammar have been seen. The timed texts are others, so what they meet for the first time counts.
final class GrammarCost: Measurement {
  enum Kind: String {
    case json = "grammar-json"
    case regex = "grammar-regex"

    fileprivate func makeGrammar() throws(LacunaError) -> Grammar {
      switch self {
      case .json:
        try Grammar(
          jsonSchema: """
            {"type": "object", "required": ["name", "age", "tags", "address"], "properties": {
              "name": {"type": "string", "maxLength": 60}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
              "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}, "maxItems": 5},
              "score": {"type": "number"},
              "address": {"type": "object", "required": ["street"], "properties": {
                "street": {"type": "string"}, "code": {"type": "string", "pattern": "^[0-9]{5}$"}}}}}
            """)
      case .regex:
        try Grammar(regex: #"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z [a-zA-Z ,']{10,80}\.\n){1,40}"#)
      }
    }
  }

  private static let vocabularySize = 32_000
  private static let warmTokens = 4000
  private static let timedTokens = 1000

  private let kind: Kind
  private let engine: Engine
  private let start: GrammarMatcher
  private let logits: [Float]
  private var random = SeededRandom(seed: 11)

  init(_ kind: Kind) throws(LacunaError) {
    self.kind = kind
    let config = ModelConfig(
      vocabSize: Self.vocabularySize, hiddenSize: 64, intermediateSize: 64, numHiddenLayers: 1, numAttentionHeads: 1,
      numKeyValueHeads: 1, headDim: 64, maxPositionEmbeddings: 512, eosTokenIDs: [2])
    var options = Engine.Options()
    options.threadCount = 1
    engine = try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 5),
      tokenizer: try Self.makeTokenizer(), options: options)
    start = try GrammarMatcher(try kind.makeGrammar(), engine: engine)
    logits = [Float](repeating: 0, count: Self.vocabularySize)
    _ = try time(tokens: Self.warmTokens)
  }

  var name: String { kind.rawValue }
  var title: String { "a grammar (\(kind == .json ? "JSON Schema" : "regex")) over 32,000 tokens adds" }
  var unit: MeasuredUnit { .seconds }
  var bound: Bound { .budget(100e-6) }

  func sample() throws -> Double { try time(tokens: Self.timedTokens) / Double(Self.timedTokens) }

  /// Seconds that the grammar takes for so many tokens of texts drawn from what it allows.
  private func time(tokens count: Int) throws(LacunaError) -> Double {
    let work = try AlignedBuffer(byteCount: Self.vocabularySize * MemoryLayout<Float>.stride)
    let values = UnsafeMutableBufferPointer(start: work.floats(), count: Self.vocabularySize)
    var matcher = start
    var taken = 0.0
    for _ in 0..<count {
      _ = values.update(from: logits)
      var began = ContinuousClock.now
      _ = try matcher.apply(to: values)
      taken += seconds(since: began)
      let token = try draw(matcher)
      began = ContinuousClock.now
      if engine.isEndOfGeneration(token) { matcher = start } else { try matcher.accept(token) }
      if matcher.isFinished { matcher = start }
      taken += seconds(since: began)
    }
    return taken
  }

  private func draw(_ matcher: GrammarMatcher) throws(LacunaError) -> TokenID {
    let allowed = try matcher.mask().tokens
    return allowed[Int(random.integer(in: 0...Int64(allowed.count - 1)))]
  }

  /// Bytes, then words of one to eight letters with and without a space, numbers and runs of JSON's marks: a vocabulary of
  /// the usual make.
  private static func makeTokenizer() throws(LacunaError) -> SentencePieceTokenizer {
    var pieces = ["<unk>", "<s>", "</s>"] + (0..<256).map { "<0x" + hexadecimal($0) + ">" }
    var types: [Int32] = [2, 3, 3] + [Int32](repeating: 6, count: 256)
    var known = Set(pieces)
    func add(_ piece: String) {
      guard pieces.count < vocabularySize, known.insert(piece).inserted else { return }
      pieces.append(piece)
      types.append(1)
    }
    for code in 32..<127 { add(String(UnicodeScalar(UInt8(code)))) }
    for marks in ["\":", "\",", "{\"", "\"}", "\": \"", "\", \"", "[\"", "\"]", "}}", "},", "],", "\n\n", "  ", "    "]
    { add(marks) }
    for number in 0..<1000 { add("\(number)") }
    var random = SeededRandom(seed: 7)
    let letters = Array("etaoinshrdlucmfwypvbgkjqxz")
    while pieces.count < vocabularySize {
      // Frequent letters are in more words.
      let word = (0..<random.integer(in: 1...8)).map { _ in
        letters[Int(min(random.integer(in: 0...25), random.integer(in: 0...25)))]
      }
      add((random.integer(in: 0...1) == 0 ? "\u{2581}" : "") + String(word))
    }
    return try SentencePieceTokenizer(
      pieces: pieces, scores: (0..<pieces.count).map { -Float($0) }, types: types, bos: 1, eos: 2, file: "bench")
  }

  private static func hexadecimal(_ byte: Int) -> String {
    let digits = Array("0123456789ABCDEF")
    return String([digits[byte >> 4], digits[byte & 15]])
  }
}
