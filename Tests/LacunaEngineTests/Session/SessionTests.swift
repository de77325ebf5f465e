import Foundation
import LacunaEngine
import Testing

@Suite("Sessions")
struct SessionTests {
  @Test("appending past the context is refused and changes nothing")
  func contextFull() throws {
    var config = Synthetic.odd
    config.maxPositionEmbeddings = 10
    let session = try Synthetic.engine(config).makeSession()
    try session.append(Synthetic.tokens(8))
    let error = #expect(throws: LacunaError.self) { try session.append(Synthetic.tokens(3)) }
    #expect(error?.code == .contextFull)
    #expect(error?.message.contains("10") == true)
    #expect(session.count == 8)
    try session.append(Synthetic.tokens(2))
    _ = try session.logits()
  }

  @Test("an id outside the vocabulary is refused by number")
  func badToken() throws {
    let session = try Synthetic.engine().makeSession()
    for bad in [TokenID(-1), 203, .max] {
      let error = #expect(throws: LacunaError.self) { try session.append([3, bad]) }
      #expect(error?.message.contains("\(bad)") == true)
    }
    #expect(session.count == 0)
  }

  @Test("an empty session has no logits and cannot score")
  func empty() throws {
    let session = try Synthetic.engine().makeSession()
    #expect(throws: LacunaError.self) { _ = try session.logits() }
    #expect(throws: LacunaError.self) { _ = try session.score(appending: [1]) }
  }

  @Test("the epoch moves with every change and the address stays")
  func epochs() throws {
    let session = try Synthetic.engine().makeSession()
    let address = session.epochAddress
    var seen = [session.epoch]
    try session.append([1, 2, 3])
    seen.append(session.epoch)
    _ = try session.logits()
    seen.append(session.epoch)
    _ = try session.logits()
    #expect(session.epoch == seen.last)
    try session.rewind(to: 2)
    seen.append(session.epoch)
    #expect(Set(seen).count == seen.count)
    #expect(session.epochAddress == address)
  }

  @Test("a long prompt reports progress and can be cancelled between passes")
  func progress() throws {
    let session = try Synthetic.engine().makeSession()
    try session.append(Synthetic.tokens(1000))
    var seen: [Int] = []
    session.onProgress = { done, total in
      seen.append(done)
      return total == 1000 && seen.count < 1
    }
    let error = #expect(throws: LacunaError.self) { _ = try session.logits() }
    #expect(error?.code == .cancelled)
    #expect(seen.count == 1)
    session.onProgress = nil
    #expect(try session.logits().allSatisfy(\.isFinite))
  }

  @Test("a pass that is cancelled between two layers leaves nothing behind", arguments: [1, 2])
  func cancelledPass(threads: Int) throws {
    let engine = try Synthetic.engine(threads: threads)
    let tokens = Synthetic.tokens(300)
    let expected = try engine.makeSession().bits(after: tokens)
    let session = try engine.makeSession()
    try session.append(tokens.prefix(100))
    _ = try session.logits()
    try session.append(tokens.dropFirst(100))
    var seen: [Int] = []
    session.onProgress = { done, total in
      seen.append(done)
      return total == 200 && seen.count < 2
    }
    let error = #expect(throws: LacunaError.self) { _ = try session.logits() }
    #expect(error?.code == .cancelled)
    // Before the first layer of two, and between them.
    #expect(seen == [0, 100])
    #expect(session.pendingCount == 200)
    session.onProgress = { done, _ in
      seen.append(done)
      return true
    }
    #expect(try session.logits().map(\.bitPattern) == expected)
    #expect(seen == [0, 100, 0, 100, 200])
  }

  @Test("a saved session goes on as if it had never been away")
  func snapshot() throws {
    let engine = try Synthetic.engine()
    let session = try engine.makeSession()
    try session.append(Synthetic.tokens(70))
    _ = try session.logits()
    try session.append(5)
    let path = NSTemporaryDirectory() + "lacuna-\(UUID().uuidString).session"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try session.save(to: path)
    let restored = try Session.restore(from: path, engine: engine)
    #expect(restored.tokens == session.tokens)
    #expect(restored.pendingCount == 1)
    #expect(try restored.logits().map(\.bitPattern) == session.logits().map(\.bitPattern))
  }

  @Test("a session's file holds nothing of the sessions that ran before it on its engine")
  func freshPages() throws {
    let path = NSTemporaryDirectory() + "lacuna-\(UUID().uuidString).session"
    defer { try? FileManager.default.removeItem(atPath: path) }
    func file(after earlier: [Int]) throws -> Data {
      let engine = try Synthetic.engine()
      for count in earlier {
        let session = try engine.makeSession()
        try session.append(Synthetic.tokens(count))
        _ = try session.logits()
      }
      let session = try engine.makeSession()
      try session.append(Synthetic.tokens(5))
      _ = try session.logits()
      try session.save(to: path)
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    let expected = try file(after: [])
    #expect(try file(after: [90, 20, 70]) == expected)
  }

  @Test("a snapshot that is cut short or changed anywhere is refused with its name")
  func damagedSnapshot() throws {
    let engine = try Synthetic.engine()
    let session = try engine.makeSession()
    try session.append(Synthetic.tokens(3))
    _ = try session.logits()
    let path = NSTemporaryDirectory() + "lacuna-\(UUID().uuidString).session"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try session.save(to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    func expectRefusal(_ data: Data) throws {
      try data.write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: LacunaError.self) { _ = try Session.restore(from: path, engine: engine) }
      #expect(error?.message.contains(path) == true)
    }
    for count in [0, 1, 7, 8, 11, 20, 40, 60, 100, whole.count - 33, whole.count - 1] {
      try expectRefusal(whole.prefix(count))
    }
    for offset in stride(from: 0, to: whole.count, by: 997) {
      var changed = whole
      changed[offset] ^= 0x10
      try expectRefusal(changed)
    }
    try expectRefusal(whole + Data([0]))
  }

  @Test("a snapshot of another model or form is refused")
  func foreignSnapshot() throws {
    let session = try Synthetic.engine().makeSession()
    try session.append([1, 2])
    let path = NSTemporaryDirectory() + "lacuna-\(UUID().uuidString).session"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try session.save(to: path)
    let other = try Synthetic.engine(kv: .fp8)
    let error = #expect(throws: LacunaError.self) { _ = try Session.restore(from: path, engine: other) }
    #expect(error?.code == .invalidArgument)
  }

  @Test("a snapshot of the same checkpoint run otherwise is refused")
  func otherRun() throws {
    let session = try Synthetic.engine(kv: .bf16).makeSession()
    try session.append([1, 2])
    let path = NSTemporaryDirectory() + "lacuna-\(UUID().uuidString).session"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try session.save(to: path)
    var rounded = Engine.Options()
    rounded.kvType = .bf16
    rounded.weights = .int4
    let weights = try ModelWeights.random(config: Synthetic.odd, type: .bf16, seed: 7)
    for other in [
      try Synthetic.engine(kv: .bf16, precision: .f32),
      try Engine(config: Synthetic.odd, weights: weights, fingerprint: "synthetic", options: rounded),
    ] {
      let error = #expect(throws: LacunaError.self) { _ = try Session.restore(from: path, engine: other) }
      #expect(error?.message.contains("keys and values: expected") == true, "\(error?.message ?? "")")
    }
  }

  @Test("logits that are not finite end the pass with the position, and the session can go on")
  func notFinite() throws {
    let config = Synthetic.odd
    let engine = try Engine(
      config: config, weights: try ModelWeights.random(config: config, type: .bf16, seed: 7).withInfiniteNorm(),
      options: Engine.Options())
    let session = try engine.makeSession()
    try session.append([1, 2, 3])
    let error = #expect(throws: LacunaError.self) { _ = try session.logits() }
    #expect(error?.code == .notFinite)
    #expect(error?.message.contains("position 3") == true)
  }
}

extension ModelWeights {
  fileprivate func withInfiniteNorm() -> ModelWeights {
    ModelWeights(
      embedding: embedding, layers: layers, norm: norm.map { _ in .infinity }, head: head, owners: [self])
  }
}
