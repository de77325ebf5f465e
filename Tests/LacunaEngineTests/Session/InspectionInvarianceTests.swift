import Foundation
import LacunaEngine
import Testing

/// Looking changes nothing, and what is seen, or changed, has one set of bits however the work was arranged.
@Suite("Traces and patches do not depend on how the work was arranged")
struct InspectionInvarianceTests {
  typealias Form = InvarianceTests.Form
  static let forms = InvarianceTests.forms
  static let sequence = Synthetic.tokens(150)

  private func engine(_ form: Form, threads: Int = 2) throws -> Engine {
    try Synthetic.engine(type: form.type, threads: threads, kv: form.kv, precision: form.precision)
  }

  private static func direction(_ seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    return (0..<Synthetic.odd.hiddenSize).map { _ in Float(random.normal()) }
  }

  /// One of every kind.
  private func patches() throws -> [Patch] {
    [
      try Patch(layer: 0, at: .residual, .add(Self.direction(1))),
      try Patch(layer: 1, at: .attention, .scale(0.5), positions: .from(40)),
      try Patch(layer: 1, at: .mlp, .replace(Self.direction(2)), positions: .only([0, 33, 149])),
      try Patch(layer: 2, at: .residual, .add(Self.direction(3)), positions: .from(149)),
    ]
  }

  @Test("a patched sequence has the same bits in every batch, cut anywhere, on any number of threads", arguments: forms)
  func patched(form: Form) throws {
    let engine = try engine(form)
    let plain = try engine.makeSession().bits(after: Self.sequence)
    let expected = try engine.makeSession(patches: patches()).bits(after: Self.sequence)
    #expect(expected != plain)
    for size in [1, 31, 32, 33, 149] {
      let session = try engine.makeSession(patches: patches())
      for start in stride(from: 0, to: Self.sequence.count, by: size) {
        try session.append(Self.sequence[start..<min(start + size, Self.sequence.count)])
        try Batch.evaluate([session])
      }
      #expect(try session.logits().map(\.bitPattern) == expected, "chunks of \(size)")
    }
    for threads in [1, 3, 5] {
      let other = try self.engine(form, threads: threads)
      #expect(try other.makeSession(patches: patches()).bits(after: Self.sequence) == expected, "\(threads) threads")
    }
    // Beside others, who keep theirs.
    let company = try [patches(), [], [patches()[0]], [], patches()].map { try engine.makeSession(patches: $0) }
    for session in company { try session.append(Self.sequence) }
    try Batch.forward(company)
    #expect(try company[0].logits().map(\.bitPattern) == expected)
    #expect(try company[1].logits().map(\.bitPattern) == plain)
    #expect(try company[2].logits().map(\.bitPattern) != expected)
    #expect(try company[3].logits().map(\.bitPattern) == plain)
    #expect(try company[4].logits().map(\.bitPattern) == expected)
    // A fork has its trunk's patches.
    let trunk = try engine.makeSession(patches: patches())
    _ = try trunk.bits(after: Self.sequence.prefix(70))
    #expect(try trunk.fork().bits(after: Self.sequence.dropFirst(70)) == expected)
  }

  @Test("the logits of a patched sequence are guessed ahead like any other's")
  func lookahead() throws {
    let engine = try engine(Self.forms[0])
    let session = try engine.makeSession(patches: patches())
    try session.append(Self.sequence.prefix(40))
    var options = Generation.Options()
    options.maxTokens = 40
    func text(_ session: Session, _ options: Generation.Options) throws -> [TokenID] {
      var generation = try Generation(
        session: session,
        chain: try SamplerChain(try SamplerChain.parse("greedy"), vocabularySize: Synthetic.odd.vocabSize),
        options: options)
      while try generation.next() != nil {}
      return session.tokens
    }
    let plain = try text(try session.fork(), options)
    options.speculation = try Speculation(engine: engine, options: .init(lookup: 1, guessCount: 4))
    #expect(try text(session, options) == plain)
  }

  @Test("a trace has the same bits whole, in parts, after a rewind and on any number of threads", arguments: forms)
  func traces(form: Form) throws {
    let engine = try engine(form)
    let long = Synthetic.tokens(700, seed: 3)
    let session = try engine.makeSession()
    try session.append(long)
    var request = Trace.Request()
    request.hidden = [0, 1, 2]
    request.lens = [0, 1, 2]
    request.attention = [1: [0, 5], 2: [3]]
    let whole = try session.trace(request)
    #expect(whole.evaluatedCount == 700 && session.pendingCount == 700)
    let logits = try session.logits()
    #expect(whole.lens(2, at: 699) == logits)

    func expectEqual(_ part: Trace, _ context: String) {
      for position in part.positions {
        for layer in 0...2 {
          #expect(part.hidden(layer, at: position) == whole.hidden(layer, at: position), "\(context), \(position)")
          #expect(part.lens(layer, at: position) == whole.lens(layer, at: position), "\(context), \(position)")
        }
        for (layer, head) in part.attentionHeads {
          let row = part.attention(layer, head: head, at: position)
          #expect(row == whole.attention(layer, head: head, at: position), "\(context), \(position)")
          #expect(row.count == position + 1 && abs(row.reduce(0, +) - 1) < 1e-4)
        }
      }
    }
    request.positions = [699, 1, 340, 511, 512]
    let part = try session.trace(request)
    #expect(part.positions == [1, 340, 511, 512, 699] && part.evaluatedCount == 699)
    expectEqual(part, "part")
    #expect(try session.logits() == logits && session.pendingCount == 0)
    request.positions = [699]
    expectEqual(try session.trace(request), "last")
    let other = try self.engine(form, threads: 5).makeSession()
    try other.append(long)
    request.positions = [0, 50, 600]
    expectEqual(try other.trace(request), "threads")
  }

  @Test("the last position's states come with every pass, in any batch, and are a trace's", arguments: forms)
  func states(form: Form) throws {
    let engine = try engine(form)
    var request = Trace.Request()
    request.hidden = [0, 1, 2]
    request.lens = [1]
    request.positions = [99]
    let session = try engine.makeSession()
    try session.append(Self.sequence.prefix(100))
    let trace = try session.trace(request)
    #expect(try session.hidden(layer: 1) == trace.hidden(1, at: 99))
    let (logits, epoch) = (try session.logits(), session.epoch)
    // Not asked for before: the last token is run again, and nothing that was given out is stale.
    #expect(try session.lens(layer: 1) == trace.lens(1, at: 99))
    #expect(try session.hidden(layer: 2) == trace.hidden(2, at: 99))
    #expect(try session.logits() == logits && session.epoch == epoch)

    let fork = try session.fork()
    #expect(try fork.hidden(layer: 2) == trace.hidden(2, at: 99))
    let company = try (1..<9).map { length in
      let session = try engine.makeSession()
      try session.append(Self.sequence.prefix(length))
      return session
    }
    try fork.append(Self.sequence[100])
    try session.append(Self.sequence[100])
    let passes = session.evaluatedTotal
    _ = try session.logits()
    let alone = (try session.hidden(layer: 2), try session.lens(layer: 1))
    #expect(session.evaluatedTotal == passes + 1, "they came with the logits")
    try Batch.forward(company + [fork])
    #expect(try fork.hidden(layer: 2) == alone.0)
    #expect(try fork.lens(layer: 1) == alone.1)

    try session.rewind(to: 100)
    #expect(try session.hidden(layer: 2) == trace.hidden(2, at: 99), "not those of the tokens that were taken back")
    #expect(throws: LacunaError.self) { try session.hidden(layer: 3) }
    #expect(throws: LacunaError.self) { try engine.makeSession().hidden(layer: 0) }
  }

  @Test("scores of a patched sequence are those of its logits")
  func scores() throws {
    let engine = try engine(Self.forms[0])
    let session = try engine.makeSession(patches: patches())
    try session.append(Self.sequence.prefix(20))
    let scores = try session.score(appending: Array(Self.sequence.dropFirst(20)))
    let single = try engine.makeSession(patches: patches())
    try single.append(Self.sequence.prefix(20))
    for (index, token) in Self.sequence.dropFirst(20).enumerated() {
      let logits = try single.logits()
      let total = logits.reduce(0.0) { $0 + exp(Double($1)) }
      #expect(abs(Double(scores[index].logProbability) - Double(logits[Int(token)]) + log(total)) < 1e-5)
      try single.append(token)
    }
  }

  @Test("a patch that does not fit, or comes too late, is refused by number, and a patched session is not saved")
  func refusals() throws {
    let engine = try Synthetic.engine()
    func refusal(_ body: () throws -> Void) -> String {
      do { try body() } catch let error as LacunaError { return error.message } catch {}
      return ""
    }
    let direction = Self.direction(1)
    #expect(
      refusal { _ = try engine.makeSession(patches: [try Patch(layer: 3, at: .residual, .add(direction))]) }
        .contains("expected a layer from 0 to 2, found 3"))
    #expect(
      refusal { _ = try engine.makeSession(patches: [try Patch(layer: 0, at: .mlp, .add(direction))]) }
        .contains("expected a layer from 1 to 2, found 0"))
    #expect(
      refusal { _ = try engine.makeSession(patches: [try Patch(layer: 1, at: .mlp, .replace([1, 2]))]) }
        .contains("expected a vector of 72 elements, found 2"))
    #expect(refusal { _ = try Patch(layer: 1, at: .mlp, .add([.nan])) }.contains("finite"))
    #expect(refusal { _ = try Patch(layer: 1, at: .mlp, .scale(.infinity)) }.contains("finite"))
    let session = try engine.makeSession()
    try session.append([1, 2])
    _ = try session.logits()
    #expect(refusal { try session.use([try Patch(layer: 1, at: .mlp, .scale(0))]) }.contains("2 tokens evaluated"))
    let patched = try engine.makeSession(patches: [try Patch(layer: 1, at: .mlp, .scale(0))])
    #expect(refusal { try patched.save(to: "/tmp/never-written.session") }.contains("with patches cannot be saved"))
    var request = Trace.Request()
    request.hidden = [0]
    request.byteLimit = 1 << 20
    try session.append(Synthetic.tokens(900))
    request.lens = [0, 1, 2]
    #expect(refusal { _ = try session.trace(request) }.contains("at most 1024 KiB, found"))
    request.lens = [3]
    #expect(refusal { _ = try session.trace(request) }.contains("lens: expected layers from 0 to 2, found 3"))
    request.lens = []
    request.attention = [0: [1]]
    #expect(refusal { _ = try session.trace(request) }.contains("attention: expected layers from 1 to 2, found 0"))
    request.attention = [1: [6]]
    #expect(refusal { _ = try session.trace(request) }.contains("expected heads from 0 to 5, found 6"))
    request.attention = [:]
    request.positions = [902]
    #expect(refusal { _ = try session.trace(request) }.contains("positions of the 902 tokens"))
  }
}
