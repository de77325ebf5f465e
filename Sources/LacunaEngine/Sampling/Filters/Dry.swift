#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// DRY, "don't repeat yourself" (p-e-w, text-generation-webui pull request 5677, 2024): a token that would continue a
/// sequence the way it went on before loses multiplier * base^(n - allowed_length), n being how many tokens before it
/// match the end of the text. A match does not reach across a sequence breaker.
struct Dry: FilterStage {
  static let schema = StageSchema(
    name: "dry", isSelector: false, keepsArgmax: false,
    meaning: "makes verbatim repetition of longer sequences less likely (DRY)",
    parameters: [
      .number("multiplier", 0.8, 0...1000, "the penalty of a match of allowed_length tokens; 0 is off"),
      .number("base", 1.75, 1...100, "how much each further matching token multiplies the penalty"),
      .integer("allowed_length", 2, 1...1_000_000, "shorter matches cost nothing"),
      .integer("penalty_last_n", -1, -1...10_000_000, "how many of the last tokens are searched; -1 is all of them"),
      StageSchema.Parameter(
        name: "sequence_breakers", kind: .texts, defaultValue: .texts(defaultBreakers), interval: 0...1,
        meaning: "texts (or token ids) that no match reaches across"),
    ])

  private static let defaultBreakers = ["\n", ":", "\"", "*"]
  /// Keeps a penalty finite; e to the minus this is 0 in any precision.
  static let greatestPenalty = 1e9

  private let multiplier: Double
  private let base: Double
  private let allowedLength: Int
  private let window: Int
  private let breakers: Set<TokenID>

  init(_ parameters: StageParameters, _ environment: StageEnvironment) throws(LacunaError) {
    multiplier = parameters.number("multiplier")
    base = parameters.number("base")
    allowedLength = parameters.integer("allowed_length")
    let lastN = parameters.integer("penalty_last_n")
    window = lastN < 0 ? .max : lastN
    breakers = try Self.breakers(parameters.list("sequence_breakers"), environment)
  }

  func apply(_ candidates: inout Candidates, _ context: SamplingContext) throws(LacunaError) {
    let tokens = context.tokens
    let length = min(tokens.count, window)
    guard multiplier > 0, length > allowedLength else { return }
    let end = tokens.count - 1
    // The suffix is read backwards: a match of more than `limit` tokens would hold a breaker.
    var limit = 0
    while limit < length, !breakers.contains(tokens[end - limit]) { limit += 1 }
    guard limit >= allowedLength else { return }
    let matches = candidates.scratch.lengths(capacity: length)
    Self.matchLengths(matches, tokens, length)

    let (longest, found) = (candidates.scratch.counts, candidates.scratch.positions)
    var foundCount = 0
    for distance in 1..<length {
      let match = min(Int(matches[distance]), limit)
      guard match >= allowedLength else { continue }
      let next = tokens[end - distance + 1]
      guard next >= 0, next < candidates.vocabularySize, !breakers.contains(next) else { continue }
      if longest[Int(next)] == 0 {
        found[foundCount] = next
        foundCount += 1
      }
      longest[Int(next)] = max(longest[Int(next)], Int32(truncatingIfNeeded: match))
    }
    let logits = candidates.logits
    for index in 0..<foundCount {
      let token = found[index]
      if let position = candidates.position(of: token) {
        let penalty = multiplier * pow(base, Double(Int(longest[Int(token)]) - allowedLength))
        logits[position] -= Float(min(penalty, Self.greatestPenalty))
      }
      longest[Int(token)] = 0
    }
    if foundCount > 0 { try candidates.logitsChanged() }
  }

  /// out[d] = how many tokens up to the d-th from the end (0 is the last) equal those at the very end. The Z function
  /// (Gusfield 1997) of the text read backwards: linear, however repetitive the text.
  private static func matchLengths(
    _ out: UnsafeMutablePointer<Int32>, _ tokens: UnsafeBufferPointer<TokenID>, _ length: Int
  ) {
    let end = tokens.count - 1
    out[0] = Int32(truncatingIfNeeded: length)
    // The box [left, right) is the match found so far that reaches furthest.
    var (left, right) = (0, 0)
    for distance in 1..<length {
      var match = distance < right ? min(right - distance, Int(out[distance - left])) : 0
      while distance + match < length, tokens[end - match] == tokens[end - distance - match] { match += 1 }
      out[distance] = Int32(truncatingIfNeeded: match)
      if distance + match > right { (left, right) = (distance, distance + match) }
    }
  }

  /// Every token whose text holds a breaker, and the last token of each breaker as it is encoded after a letter (a
  /// breaker may take several).
  private static func breakers(
    _ given: StageDescription.Value, _ environment: StageEnvironment
  ) throws(LacunaError) -> Set<TokenID> {
    if case .numbers(let ids) = given {
      var breakers: Set<TokenID> = []
      for id in ids {
        guard let token = TokenID(exactly: id), token >= 0, token < environment.vocabularySize else {
          throw LacunaError(
            .invalidArgument,
            "sampler stage \"dry\", parameter \"sequence_breakers\": expected token ids in "
              + "0..<\(environment.vocabularySize), found \(StageDescription.Value.number(id).shown)")
        }
        breakers.insert(token)
      }
      return breakers
    }
    guard case .texts(let texts) = given, !texts.isEmpty else { return [] }
    guard let tokenizer = environment.tokenizer else {
      // Nobody asked for the default ones in so many words.
      if texts == defaultBreakers { return [] }
      throw LacunaError(
        .invalidArgument,
        "sampler stage \"dry\", parameter \"sequence_breakers\": this model has no tokenizer: expected token ids")
    }
    let patterns = texts.filter { !$0.isEmpty }.map { Array($0.utf8) }
    var breakers = Set(texts.compactMap { tokenizer.encode("a" + $0).last })
    for id in 0..<min(environment.vocabularySize, tokenizer.vocabularySize) {
      let bytes = tokenizer.bytes(of: TokenID(id), special: false)
      if patterns.contains(where: { bytes.contains($0) }) { breakers.insert(TokenID(id)) }
    }
    return breakers
  }
}

extension Array where Element == UInt8 {
  fileprivate func contains(_ pattern: [UInt8]) -> Bool {
    guard count >= pattern.count else { return false }
    return (0...(count - pattern.count)).contains { start in
      pattern.indices.allSatisfy { self[start + $0] == pattern[$0] }
    }
  }
}
