import Foundation
import LacunaEngine
import LacunaTestSupport
import Testing

/// What is inside the model, against transformers; see Tests/Fixtures/golden/README.md.
@Suite("Inside the model")
struct InsideTests {
  struct Inside: Decodable {
    struct Run: Decodable {
      let edits: [Edit]
      /// Every 8th of the last position's.
      let logits: [Float]
      let plain: Float
    }
    struct Edit: Decodable {
      let layer: Int
      let at: String
      let add, replace: [Float]?
      let scale: Float?
      let positions: Positions
    }
    enum Positions: Decodable {
      case all, from(Int), only([Int])

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let list = try? container.decode([Int].self) {
          self = .only(list)
        } else if let range = try? container.decode([String: Int].self), let first = range["from"] {
          self = .from(first)
        } else {
          self = .all
        }
      }
    }
    let hidden, attention, lens: [String: [Float]]
    let patches: [Run]
  }

  struct Golden: Decodable {
    let inputIDs: [TokenID]
    let hiddenNorms: [[Double]]

    enum CodingKeys: String, CodingKey {
      case inputIDs = "input_ids"
      case hiddenNorms = "hidden_norms"
    }
  }

  static let folders = ["llama3-rope", "odd-sizes"]

  private func read<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    try JSONDecoder().decode(type, from: try Data(contentsOf: URL(fileURLWithPath: Fixture.path("golden/\(name)"))))
  }

  private func session(_ folder: String, _ patches: [Patch] = []) throws -> Session {
    var options = Engine.Options()
    options.precision = .f32
    let session = try Engine.load(path: Fixture.path("golden/\(folder)"), options: options)
      .makeSession(patches: patches)
    try session.append(try read(Golden.self, "\(folder)/golden.json").inputIDs)
    return session
  }

  private func expectNear(_ found: [Float], _ expected: [Float], within tolerance: Float, _ context: String) {
    #expect(found.count == expected.count, "\(context)")
    let error = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(error < tolerance, "\(context): off by \(error)")
  }

  @Test("hidden states are as long as transformers' at every layer and position", arguments: GoldenTests.folders)
  func norms(folder: String) throws {
    let golden = try read(Golden.self, "\(folder)/golden.json")
    var request = Trace.Request()
    request.hidden = Array(golden.hiddenNorms.indices)
    let trace = try session(folder).trace(request)
    for (layer, norms) in golden.hiddenNorms.enumerated() {
      for (position, norm) in norms.enumerated() {
        let squares = trace.hidden(layer, at: position).reduce(0) { $0 + Double($1) * Double($1) }
        // Four places in the file.
        #expect(abs(squares.squareRoot() - norm) < 1e-4 + 1e-5 * norm, "layer \(layer), position \(position)")
      }
    }
  }

  @Test("hidden states, attention and lenses are transformers'", arguments: folders)
  func values(folder: String) throws {
    let inside = try read(Inside.self, "\(folder)/inside.json")
    let keys = inside.attention.keys.map { $0.split(separator: " ").compactMap { Int($0) } }
    var request = Trace.Request()
    request.hidden = [0, 1, 2]
    request.lens = [0, 1, 2]
    for key in keys { request.attention[key[0], default: []].append(key[1]) }
    let trace = try session(folder).trace(request)
    func numbers(_ key: String) -> [Int] { key.split(separator: " ").compactMap { Int($0) } }
    for (key, expected) in inside.hidden {
      expectNear(trace.hidden(numbers(key)[0], at: numbers(key)[1]), expected, within: 2e-5, "hidden \(key)")
    }
    for (key, expected) in inside.attention {
      let (layer, head, position) = (numbers(key)[0], numbers(key)[1], numbers(key)[2])
      expectNear(trace.attention(layer, head: head, at: position), expected, within: 2e-6, "attention \(key)")
    }
    for (key, expected) in inside.lens {
      expectNear(trace.lens(numbers(key)[0], at: numbers(key)[1]), expected, within: 1e-4, "lens \(key)")
    }
  }

  @Test("patches change what forward hooks on the same modules change", arguments: folders)
  func patches(folder: String) throws {
    for (index, run) in try read(Inside.self, "\(folder)/inside.json").patches.enumerated() {
      let patches = try run.edits.map { edit in
        let change: Patch.Change =
          edit.add.map { Patch.Change.add($0) } ?? edit.replace.map { Patch.Change.replace($0) }
          ?? .scale(edit.scale ?? 1)
        let positions: Patch.Positions =
          switch edit.positions {
          case .all: .all
          case .from(let first): .from(first)
          case .only(let list): .only(Set(list))
          }
        return try Patch(
          layer: edit.layer, at: try #require(Patch.Site(rawValue: edit.at)), change, positions: positions)
      }
      let logits = try session(folder, patches).logits()
      let found = stride(from: 0, to: logits.count, by: 8).map { logits[$0] }
      expectNear(found, run.logits, within: 1e-4, "run \(index)")
      #expect(run.plain > 0.1, "the run says nothing")
    }
  }

  @Test("an embedding is the mean of the states, or the last one")
  func embeddings() throws {
    let session = try session("odd-sizes")
    var request = Trace.Request()
    request.hidden = [1, 2]
    let trace = try session.trace(request)
    for positions in [nil, [3, 7, 8], [40]] as [[Int]?] {
      let chosen = positions ?? Array(0..<session.count)
      for layer in [1, 2] {
        let mean = try session.embedding(layer: layer, positions: positions).vector
        for index in [0, 1, 71] {
          let sum = chosen.reduce(0.0) { $0 + Double(trace.hidden(layer, at: $1)[index]) }
          #expect(abs(Double(mean[index]) - sum / Double(chosen.count)) < 1e-6)
        }
        let last = try session.embedding(layer: layer, pooling: .last, positions: positions).vector
        #expect(last == trace.hidden(layer, at: chosen.max()!))
      }
    }
    #expect(try session.embedding().vector == session.embedding(layer: 2).vector)
    #expect(throws: LacunaError.self) { try session.embedding(positions: []) }
  }
}
