/// Generated text on its way out: holds back what may become a stop text.
struct TextStream {
  private var decoder: StreamDecoder?
  private let stops: [[UInt8]]
  private var held: [UInt8] = []

  init(tokenizer: (any Tokenizer)?, stops: [String]) {
    decoder = tokenizer.map { StreamDecoder(tokenizer: $0, afterPrompt: true) }
    self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
  }

  /// The text that may go out now, and whether a stop text was completed behind it.
  mutating func append(_ token: TokenID) -> (text: String, stopped: Bool) {
    guard let piece = decoder?.append(token) else { return ("", false) }
    if stops.isEmpty { return (piece, false) }
    held += Array(piece.utf8)
    if let end = stops.compactMap({ first($0) }).min() {
      let text = String(decoding: held[..<end], as: UTF8.self)
      held = []
      return (text, true)
    }
    let keep = stops.map { overlap($0) }.max() ?? 0
    let text = String(decoding: held.dropLast(keep), as: UTF8.self)
    held.removeFirst(held.count - keep)
    return (text, false)
  }

  mutating func flush() -> String {
    let text = String(decoding: held, as: UTF8.self) + (decoder?.flush() ?? "")
    held = []
    return text
  }

  private func first(_ stop: [UInt8]) -> Int? {
    guard held.count >= stop.count else { return nil }
    return (0...held.count - stop.count).first { held[$0..<$0 + stop.count].elementsEqual(stop) }
  }

  /// How much of the end of `held` is a beginning of `stop`.
  private func overlap(_ stop: [UInt8]) -> Int {
    let longest = min(stop.count - 1, held.count)
    return stride(from: longest, to: 0, by: -1).first { held.suffix($0).elementsEqual(stop.prefix($0)) } ?? 0
  }
}
