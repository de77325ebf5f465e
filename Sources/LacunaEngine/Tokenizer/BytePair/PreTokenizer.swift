/// Cuts text into the words inside which byte-level merges take place.
///
/// The patterns are those that checkpoints name, each scanned by hand in linear time; a checkpoint's regular
/// expression is recognized by its text (`Pattern.init(regex:)`) and never run.
package struct PreTokenizer: Sendable, Hashable {
  package enum Step: Sendable, Hashable {
    case pattern(Pattern)
    /// Every \p{N} on its own.
    case eachNumber
    /// Runs of \p{N} on their own.
    case numberRuns
    /// Groups of three ASCII digits, from the left, on their own.
    case digitTriples
    /// Runs of \p{P} and of $ + < = > ^ ~ | on their own.
    case punctuationRuns
  }

  /// A pattern that covers all of a text.
  package enum Pattern: Sendable, Hashable {
    case gpt2
    /// Llama 3's, and with `longestNumber` 1 Qwen 2's.
    case llama3(longestNumber: Int)
  }

  package var steps: [Step]

  package init(_ steps: [Step]) { self.steps = steps }

  package static let gpt2 = PreTokenizer([.pattern(.gpt2)])
  package static let llama3 = PreTokenizer([.pattern(.llama3(longestNumber: 3))])
  package static let smollm = PreTokenizer([.eachNumber, .pattern(.gpt2)])

  /// By GGUF's `tokenizer.ggml.pre`; nil for a name that is not known.
  package init?(ggufName: String) {
    switch ggufName {
    case "gpt-2": self = .gpt2
    case "llama-bpe": self = .llama3
    case "qwen2": self.init([.pattern(.llama3(longestNumber: 1))])
    case "smollm": self = .smollm
    case "default": self.init([.punctuationRuns, .pattern(.gpt2), .numberRuns, .digitTriples])
    default: return nil
    }
  }

  /// Calls `body` for each word of the range, in order; together they are the range.
  package func forEachWord(in text: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    split(text, range, step: 0, body)
  }

  private func split(_ text: [UInt8], _ range: Range<Int>, step: Int, _ body: (Range<Int>) -> Void) {
    guard step < steps.count else {
      if !range.isEmpty { body(range) }
      return
    }
    let isLast = step + 1 == steps.count
    var start = range.lowerBound
    while start < range.upperBound {
      let end = steps[step].wordEnd(text, start, range.upperBound)
      if isLast { body(start..<end) } else { split(text, start..<end, step: step + 1, body) }
      start = end
    }
  }
}

extension PreTokenizer.Step {
  /// Where the word that begins at `start` ends; `end` is where the text does.
  @inline(__always)
  func wordEnd(_ text: [UInt8], _ start: Int, _ end: Int) -> Int {
    let scanner = WordScanner(text: text, end: end)
    switch self {
    case .pattern(.gpt2): return scanner.gpt2WordEnd(start)
    case .pattern(.llama3(let longestNumber)): return scanner.llama3WordEnd(start, longestNumber: longestNumber)
    case .eachNumber:
      let (scalarClass, count) = scanner.character(start)
      return scalarClass == .number ? start + count : scanner.skip(start) { scalarClass, _ in scalarClass != .number }
    case .numberRuns: return scanner.runEnd(start) { scalarClass, _ in scalarClass == .number }
    case .punctuationRuns:
      return scanner.runEnd(start) { scalarClass, byte in
        scalarClass == .punctuation || Self.symbols.contains(byte)
      }
    case .digitTriples: return scanner.digitTriple(start)
    }
  }

  private static let symbols = Array("$+<=>^~|".utf8)
}
