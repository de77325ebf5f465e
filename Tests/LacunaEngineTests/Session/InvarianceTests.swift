import LacunaEngine
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// One sequence, one set of bits: however it was batched, cut, shared or threaded.
@Suite("Results do not depend on how the work was arranged")
struct InvarianceTests {
  struct Form: Sendable, CustomTestStringConvertible {
    let type: WeightType
    let kv: Engine.KVType
    let precision: Engine.Precision
    var testDescription: String { "\(type.rawValue) weights, \(kv.rawValue) keys and values, \(precision.rawValue)" }
  }

  static let forms = [
    Form(type: .bf16, kv: .bf16, precision: .fast), Form(type: .e4m3, kv: .bf16, precision: .fast),
    Form(type: .e4m3, kv: .fp8, precision: .fast), Form(type: .e4m3, kv: .f32, precision: .f32),
  ]
  static let sequence = Synthetic.tokens(150)

  private func engine(_ form: Form, threads: Int = 2) throws -> Engine {
    try Synthetic.engine(type: form.type, threads: threads, kv: form.kv, precision: form.precision)
  }

  private func reference(_ engine: Engine) throws -> [UInt32] {
    try engine.makeSession().bits(after: Self.sequence)
  }

  @Test("a prompt cut anywhere gives the bits of the whole", arguments: forms)
  func chunks(form: Form) throws {
    let engine = try engine(form)
    let expected = try reference(engine)
    for size in [1, 3, 16, 31, 32, 33, 64, 149] {
      let session = try engine.makeSession()
      for start in stride(from: 0, to: Self.sequence.count, by: size) {
        try session.append(Self.sequence[start..<min(start + size, Self.sequence.count)])
        try Batch.evaluate([session])
      }
      #expect(try session.logits().map(\.bitPattern) == expected, "chunks of \(size)")
    }
  }

  @Test("a prompt longer than one pass gives the bits of token by token", arguments: forms)
  func longPrompt(form: Form) throws {
    let engine = try engine(form)
    let long = Synthetic.tokens(700, seed: 3)
    let whole = try engine.makeSession().bits(after: long)
    let session = try engine.makeSession()
    try session.append(long.prefix(690))
    var last: [UInt32] = []
    for token in long.dropFirst(690) { last = try session.bits(after: [token]) }
    #expect(last == whole)
  }

  @Test("the number of threads changes nothing", arguments: forms)
  func threads(form: Form) throws {
    let expected = try reference(engine(form, threads: 1))
    for count in [2, 3, 5] {
      #expect(try reference(engine(form, threads: count)) == expected, "\(count) threads")
    }
  }

  @Test("company in a batch changes nothing", arguments: forms)
  func batches(form: Form) throws {
    let engine = try engine(form)
    let lengths = [1, 5, 150, 31, 90, 2, 17, 64, 33, 8, 4, 3, 2, 1, 70, 12, 9]
    let alone = try lengths.map { try engine.makeSession().bits(after: Self.sequence.prefix($0)) }
    for count in [2, 4, 9, lengths.count] {
      let sessions = try lengths.prefix(count).map { length in
        let session = try engine.makeSession()
        try session.append(Self.sequence.prefix(length))
        return session
      }
      try Batch.forward(sessions)
      for (index, session) in sessions.enumerated() {
        #expect(try session.logits().map(\.bitPattern) == alone[index], "sequence \(index) of \(count)")
      }
      try sessions.forEach { try $0.append(11) }
      try Batch.forward(sessions)
      let next = try engine.makeSession().bits(after: Self.sequence.prefix(lengths[1]) + [11])
      #expect(try sessions[1].logits().map(\.bitPattern) == next, "decoding in a batch of \(count)")
    }
  }

  @Test("forks and rewinds give the bits of a straight run", arguments: forms)
  func forks(form: Form) throws {
    let engine = try engine(form)
    let expected = try reference(engine)
    for cut in [1, 31, 32, 33, 64, 100] {
      let trunk = try engine.makeSession()
      _ = try trunk.bits(after: Self.sequence.prefix(cut))
      let branch = try trunk.fork()
      _ = try trunk.bits(after: Synthetic.tokens(40, seed: 9))
      #expect(try branch.bits(after: Self.sequence.dropFirst(cut)) == expected, "fork at \(cut)")
      try trunk.rewind(to: cut)
      #expect(try trunk.bits(after: Self.sequence.dropFirst(cut)) == expected, "rewind to \(cut)")
    }
  }

  @Test("scores are those of the logits one by one", arguments: forms)
  func scores(form: Form) throws {
    let engine = try engine(form)
    let session = try engine.makeSession()
    try session.append(Self.sequence.prefix(20))
    let scores = try session.score(appending: Array(Self.sequence.dropFirst(20)))
    let single = try engine.makeSession()
    try single.append(Self.sequence.prefix(20))
    for (index, token) in Self.sequence.dropFirst(20).enumerated() {
      let logits = try single.logits()
      let total = logits.reduce(0.0) { $0 + exp(Double($1)) }
      let expected = Double(logits[Int(token)]) - log(total)
      #expect(abs(Double(scores[index].logProbability) - expected) < 1e-5)
      #expect(scores[index].isGreedy == (logits.max() == logits[Int(token)]))
      try single.append(token)
    }
  }
}
