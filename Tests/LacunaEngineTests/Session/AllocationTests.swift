import CTestSupport
import LacunaEngine
import LacunaTestSupport
import Testing

/// Memory is asked for when a model is loaded, when a session begins and when its keys and values fill another page,
/// and at no other time. One thread, so that all of the work is on the thread that counts.
@Suite(
  "Decoding allocates nothing",
  .enabled(if: ct_counts_allocations(), "counting needs the GNU C library"),
  .disabled(if: _isDebugAssertConfiguration(), "Swift that is not optimised allocates where it likes"))
struct AllocationTests {
  /// A stage of each kind of cost.
  private static let filters = "penalties:repetition=1.1 top_k:40 top_p:0.9 min_p:0.05 temperature:0.8"

  /// A session whose pages and list of tokens have room for 40 tokens more: it had them, and went back.
  private func session(_ engine: Engine, seed: UInt64) throws -> Session {
    let session = try engine.makeSession()
    try session.append(Synthetic.tokens(20, seed: seed))
    try decode(session, 40)
    try session.rewind(to: 20)
    return session
  }

  private func decode(_ session: Session, _ count: Int) throws {
    for index in 0..<count {
      _ = try session.borrowedLogits()
      try session.append(TokenID(index * 37 % Synthetic.odd.vocabSize))
    }
  }

  private func count(_ body: () throws -> Void) rethrows -> UInt64 {
    let before = ct_allocations()
    try body()
    return ct_allocations() - before
  }

  @Test("the counter counts")
  func counter() {
    var kept: [[Int]] = []
    kept.reserveCapacity(100)
    #expect(count { for size in 100..<200 { kept.append(Array(repeating: 1, count: size)) } } == 100)
  }

  @Test("34 tokens of one session allocate as often as 2: never", arguments: InvarianceTests.forms)
  func session(form: InvarianceTests.Form) throws {
    let engine = try Synthetic.engine(type: form.type, threads: 1, kv: form.kv, precision: form.precision)
    let session = try session(engine, seed: 1)
    #expect(try count { try decode(session, 2) } == 0)
    #expect(try count { try decode(session, 34) } == 0)
  }

  @Test("a new page every 32 tokens is all that a longer session asks for")
  func pages() throws {
    let session = try Synthetic.engine(threads: 1).makeSession()
    // Beyond and back, so that the list of tokens has its room.
    try session.append(Synthetic.tokens(490))
    try decode(session, 40)
    try session.rewind(to: 501)
    let within = try count { try decode(session, 10) }
    try decode(session, 32)
    // The page, its memory and that one's record, and perhaps a longer list of pages.
    let crossing = try count { try decode(session, 4) }
    #expect(within == 0)
    #expect((1...4).contains(crossing), "\(crossing)")
  }

  @Test("34 tokens of eight sessions in a batch allocate as often as 2: never")
  func batch() throws {
    let engine = try Synthetic.engine(threads: 1)
    let sessions = try (1...8).map { try session(engine, seed: $0) }
    func decode(_ count: Int) throws {
      for index in 0..<count {
        try Batch.forward(sessions)
        for session in sessions { try session.append(TokenID(index * 37 % Synthetic.odd.vocabSize)) }
      }
    }
    #expect(try count { try decode(2) } == 0)
    #expect(try count { try decode(34) } == 0)
  }

  @Test(
    "34 draws of a sampler chain allocate as often as 2: never",
    arguments: [filters + " dist", "penalties:repetition=1.1 greedy"])
  func sampler(stages: String) throws {
    let vocabulary = 32_000
    var chain = try SamplerChain(SamplerChain.parse(stages), vocabularySize: vocabulary)
    var random = SeededRandom(seed: 1)
    let model = (0..<vocabulary).map { _ in Float(random.normal()) * 4 }
    let logits = UnsafeMutableBufferPointer<Float>.allocate(capacity: vocabulary)
    defer { logits.deallocate() }
    var tokens = Synthetic.tokens(100, vocab: vocabulary)
    tokens.reserveCapacity(200)
    func draw(_ count: Int) throws {
      for _ in 0..<count {
        _ = logits.update(from: model)
        let token = try tokens.withUnsafeBufferPointer {
          try chain.sample(logits, SamplingContext(tokens: $0, promptCount: 10, seed: 1, stream: 0))
        }
        try chain.accept(token)
        tokens.append(token)
      }
    }
    try draw(2)
    #expect(try count { try draw(2) } == 0)
    #expect(try count { try draw(34) } == 0)
  }
}
