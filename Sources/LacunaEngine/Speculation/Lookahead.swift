/// Logits that a session has before it has their tokens: those after each of a few guessed ones.
///
/// The guesses' keys and values lie behind the session's own. A guess that comes true costs no pass; one that does not
/// is forgotten, and what lies behind it is overwritten.
final class Lookahead {
  /// How many tokens the guesses follow.
  private(set) var start = 0
  private(set) var guesses: [TokenID] = []
  /// How many of them were appended.
  private(set) var confirmedCount = 0
  /// Whether another token was appended where a guess was.
  private(set) var isRefuted = false
  let capacity: Int
  private let vocabularySize: Int
  private let memory: AlignedBuffer

  init(capacity: Int, vocabularySize: Int) throws(LacunaError) {
    self.capacity = capacity
    self.vocabularySize = vocabularySize
    memory = try AlignedBuffer(byteCount: capacity * vocabularySize * MemoryLayout<Float>.stride)
    guesses.reserveCapacity(capacity)
  }

  func begin(after start: Int, _ guesses: [TokenID]) {
    precondition(guesses.count <= capacity, "\(guesses.count) guesses in the room of \(capacity)")
    self.start = start
    self.guesses.removeAll(keepingCapacity: true)
    self.guesses += guesses
    confirmedCount = 0
    isRefuted = false
  }

  /// Where the pass writes the logits after guess `index`, [vocabSize].
  func row(_ index: Int) -> UnsafeMutablePointer<Float> { memory.floats() + index * vocabularySize }

  /// The logits after `count` tokens of the session, if they are here.
  func logits(after count: Int) -> UnsafePointer<Float>? {
    let confirmed = count - start
    return confirmed > 0 && confirmed <= guesses.count ? UnsafePointer(row(confirmed - 1)) : nil
  }

  /// Told of every token that the session appends; whether it was guessed.
  func confirms(_ token: TokenID, at index: Int) -> Bool {
    let place = index - start
    guard place >= 0, place < guesses.count else { return false }
    guard guesses[place] == token else {
      isRefuted = true
      keep(place)
      return false
    }
    confirmedCount = max(confirmedCount, place + 1)
    return true
  }

  /// Told when the session keeps only `count` tokens.
  func rewind(to count: Int) { if count < start { keep(0) } }

  func keep(_ count: Int) { guesses.removeLast(max(guesses.count - count, 0)) }
}
