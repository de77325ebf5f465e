import LacunaEngine
import LacunaTestSupport
import Testing

/// Broken directories: each is read to the end or refused with an error that names a file; nothing traps.
@Suite("Malformed checkpoints")
struct CheckpointHardeningTests {
  private static let quantized = TinyCheckpoint(quantization: Scheme.compressedTensors(ignore: #"["re:.*lm_head"]"#)) {
    name, rows, _ in
    Scheme.scales("\(name).weight_scale", "BF16", [rows, 1])
  }

  /// Opens the directory and, if that succeeds, runs every conversion.
  private func exercise(_ directory: TemporaryDirectory) throws {
    do {
      let source = try CheckpointLoader.open(directory.path)
      for choice in WeightChoice.allCases {
        _ = try CheckpointLoader.weights(of: source, choice: choice, quantizesHead: true, progress: nil)
      }
    } catch {
      #expect(error.message.contains(directory.path), "\(error)")
    }
  }

  @Test("a configuration cut at any offset is refused")
  func truncatedConfig() throws {
    let directory = try TemporaryDirectory()
    try Self.quantized.write(to: directory)
    let text = Array(Self.quantized.configText.utf8)
    for length in 0..<text.count {
      try directory.write(Array(text[..<length]), to: "config.json")
      #expect(throws: LacunaError.self) { _ = try CheckpointLoader.open(directory.path) }
    }
  }

  @Test("weights cut at any offset are refused")
  func truncatedWeights() throws {
    let directory = try TemporaryDirectory()
    try Self.quantized.write(to: directory)
    let bytes = safetensors(Self.quantized.tensors)
    for length in 0..<bytes.count {
      try directory.write(Array(bytes[..<length]), to: "model.safetensors")
      #expect(throws: LacunaError.self) { _ = try CheckpointLoader.open(directory.path) }
    }
  }

  /// Changes a few bytes: to anything, to a digit, to punctuation; removes or repeats some.
  private func mutate(_ bytes: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = bytes
    func pick(_ count: Int) -> Int { Int(random.integer(in: 0...Int64(max(count - 1, 0)))) }
    for _ in 0...pick(3) where !bytes.isEmpty {
      let at = pick(bytes.count)
      switch pick(6) {
      case 0: bytes[at] = UInt8(pick(256))
      case 1: bytes[at] = UInt8(0x30 + pick(10))
      case 2: bytes[at] = Array("{}[]\",:-.e\\ 0".utf8)[pick(13)]
      case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + pick(8)))
      case 4: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + pick(16))], at: at)
      default: bytes.insert(contentsOf: Array("99999999999999999999".utf8).prefix(1 + pick(20)), at: at)
      }
    }
    return bytes
  }

  @Test("seeded mutations of configuration, header and scales never trap", arguments: 0..<8)
  func mutations(seed: Int) throws {
    let directory = try TemporaryDirectory()
    let (config, weights) = (Array(Self.quantized.configText.utf8), safetensors(Self.quantized.tensors))
    var random = SeededRandom(seed: UInt64(seed))
    for round in 0..<500 {
      let changesConfig = round.isMultiple(of: 2)
      try directory.write(changesConfig ? mutate(config, &random) : config, to: "config.json")
      try directory.write(changesConfig ? weights : mutate(weights, &random), to: "model.safetensors")
      try exercise(directory)
    }
  }

  @Test("seeded mutations of an index never trap")
  func indexMutations() throws {
    let directory = try TemporaryDirectory()
    try TinyCheckpoint().writeSharded(3, to: directory)
    let index = try readFile("\(directory.path)/model.safetensors.index.json", limit: 1 << 20)
    var random = SeededRandom(seed: 99)
    for _ in 0..<500 {
      try directory.write(mutate(index, &random), to: "model.safetensors.index.json")
      try exercise(directory)
    }
  }

  @Test("files larger than their limits are refused before they are read")
  func limits() throws {
    let directory = try TemporaryDirectory()
    try TinyCheckpoint().write(to: directory)
    try directory.write([UInt8](repeating: 0x20, count: (1 << 20) + 1), to: "generation_config.json")
    let error = try #require(throws: LacunaError.self) { _ = try CheckpointLoader.open(directory.path) }
    #expect(error.message.contains("generation_config.json: size: expected at most 1048576 bytes"))
  }
}
