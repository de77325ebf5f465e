import Foundation
import LacunaEngine
import Testing

@Suite("Converting checkpoints")
struct ConverterTests {
  /// A folder for one test's files.
  private final class Folder {
    let path: String
    init() throws {
      path = NSTemporaryDirectory() + "/convert-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
  }

  private func rows(_ source: any CheckpointSource, _ tensor: StoredTensor) -> [Float] {
    var values = [Float](repeating: .nan, count: tensor.rows * tensor.cols)
    values.withUnsafeMutableBufferPointer { source.readRows(tensor.name, 0..<tensor.rows, into: $0.baseAddress!) }
    return values
  }

  @Test("bf16: every value is the source's, rounded once")
  func bf16() throws {
    let folder = try Folder()
    let source = MemorySource()
    let summary = try Converter.convert(source: source, to: folder.path + "/out", type: .bf16)
    #expect(summary.fileNames == ["config.json", "generation_config.json", "model.safetensors"])
    let converted = try CheckpointLoader.open(folder.path + "/out")
    #expect(converted.config == source.config)
    #expect(Set(converted.tensors.map(\.name)) == Set(source.tensors.map(\.name)))
    for tensor in source.tensors {
      #expect(rows(converted, tensor) == rows(source, tensor).map { BFloat16($0).float }, "\(tensor.name)")
    }
    #expect(folder.names == ["out"])
  }

  @Test("fp8: codes and scales are those of --weights fp8, the rest is bf16")
  func fp8() throws {
    let folder = try Folder()
    let source = MemorySource()
    try Converter.convert(source: source, to: folder.path + "/out", type: .fp8)
    let converted = try CheckpointLoader.open(folder.path + "/out")
    #expect(converted.formatDescription.contains("float-quantized"))
    for tensor in source.tensors {
      let isProjection = tensor.name.hasSuffix("_proj.weight")
      let found = converted.matrix(tensor.name)
      #expect(found?.type == (tensor.shape.count == 1 ? nil : isProjection ? .e4m3 : .bf16), "\(tensor.name)")
      let original = rows(source, tensor)
      var expected = original.map { BFloat16($0).float }
      if isProjection {
        for row in 0..<tensor.rows {
          let range = row * tensor.cols..<(row + 1) * tensor.cols
          let scale = original[range].map(abs).max()! / 448
          #expect(found?.scales?[row] == scale)
          for i in range { expected[i] = Float8E4M3(original[i] / scale).float * scale }
        }
      }
      #expect(rows(converted, tensor) == expected, "\(tensor.name)")
    }
  }

  @Test("an FP8 checkpoint converted again is the same to the byte")
  func fp8Again() throws {
    let folder = try Folder()
    try Converter.convert(source: MemorySource(), to: folder.path + "/a", type: .fp8, quantizesHead: true)
    let first = try CheckpointLoader.open(folder.path + "/a")
    #expect(first.matrix("lm_head.weight")?.type == .e4m3)
    try Converter.convert(source: first, to: folder.path + "/b", type: .fp8, quantizesHead: true)
    for tensor in first.tensors {
      let second = try CheckpointLoader.open(folder.path + "/b")
      #expect(rows(first, tensor) == rows(second, tensor), "\(tensor.name)")
    }
    let sizes = try ["a", "b"].map { try readFile("\(folder.path)/\($0)/model.safetensors", limit: 1 << 20).count }
    #expect(sizes[0] == sizes[1])
  }

  @Test("large models are cut into shards with an index", arguments: [Converter.Target.bf16, .fp8])
  func shards(type: Converter.Target) throws {
    let folder = try Folder()
    let source = MemorySource()
    let whole = try Converter.convert(source: source, to: folder.path + "/whole", type: type)
    let cut = try Converter.convert(source: source, to: folder.path + "/cut", type: type, shardLimit: 400)
    #expect(cut.fileNames.contains("model.safetensors.index.json"))
    #expect(cut.fileNames.filter { $0.hasSuffix(".safetensors") }.count > 3)
    #expect(whole.fileNames.last == "model.safetensors")
    let (a, b) = (try CheckpointLoader.open(whole.path), try CheckpointLoader.open(cut.path))
    for tensor in source.tensors { #expect(rows(a, tensor) == rows(b, tensor), "\(tensor.name)") }
  }

  @Test(
    "every kind of configuration survives",
    arguments: [
      RoPEScaling.none, .linear(factor: 2.5), .dynamic(factor: 4, originalMaxPositionEmbeddings: 64),
      .llama3(factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 32),
    ])
  func configurations(scaling: RoPEScaling) throws {
    let folder = try Folder()
    var source = MemorySource()
    source.config.ropeScaling = scaling
    source.config.ropeTheta = 500_000
    source.config.rmsNormEps = 1e-6
    source.config.tieWordEmbeddings = true
    source.config.attentionBias = true
    source.config.mlpBias = true
    source.config.bosTokenID = nil
    source.config.eosTokenIDs = [2, 5]
    try Converter.convert(source: source, to: folder.path + "/out", type: .fp8)
    #expect(try CheckpointLoader.open(folder.path + "/out").config == source.config)
  }

  @Test(
    "a GGUF file becomes a directory with the same values, configuration and token ids",
    arguments: ["tiny-spm.gguf", "tiny-bpe.gguf"])
  func gguf(name: String) throws {
    let folder = try Folder()
    let source = try CheckpointLoader.open(GGUFFixtures.path(name))
    try Converter.convert(source: source, to: folder.path + "/out", type: .bf16)
    let converted = try CheckpointLoader.open(folder.path + "/out")
    #expect(converted.config == source.config)
    #expect(converted.chatTemplate == source.chatTemplate)
    for tensor in source.tensors {
      #expect(rows(converted, tensor) == rows(source, tensor).map { BFloat16($0).float }, "\(tensor.name)")
    }
    let original = try #require(try source.makeTokenizer())
    let again = try #require(try TokenizerLoader.load(directory: folder.path + "/out", config: converted.config))
    for text in ["the heat", " then", "größer 12\n\n<extra>x", "日本 the<|im_end|>", ""] {
      for special in [false, true] {
        #expect(
          again.encode(text, bos: true, special: special) == original.encode(text, bos: true, special: special),
          "\(text)")
      }
      #expect(again.decode(original.encode(text)) == original.decode(original.encode(text)))
    }
    #expect(again.bos == original.bos && again.eos == original.eos)
  }

  @Test("an existing destination is refused and left as it is")
  func existing() throws {
    let folder = try Folder()
    try FileManager.default.createDirectory(atPath: folder.path + "/out", withIntermediateDirectories: true)
    let error = try #require(throws: LacunaError.self) {
      try Converter.convert(source: MemorySource(), to: folder.path + "/out/", type: .bf16)
    }
    #expect(error.code == .invalidArgument && error.message.contains("exists already"))
    #expect(folder.names == ["out"])
  }

  @Test(
    "a value that is not finite ends the conversion, names its place and leaves nothing",
    arguments: [Converter.Target.bf16, .fp8], [Float.nan, .infinity])
  func notFinite(type: Converter.Target, value: Float) throws {
    let folder = try Folder()
    var source = MemorySource()
    source.fault = ("model.layers.1.mlp.up_proj.weight", 7, 3, value)
    let error = try #require(throws: LacunaError.self) {
      try Converter.convert(source: source, to: folder.path + "/out", type: type)
    }
    #expect(error.message.contains("model.layers.1.mlp.up_proj.weight: row 7"))
    #expect(folder.names.isEmpty)
  }

  @Test("a cancelled conversion leaves nothing")
  func cancelled() throws {
    let folder = try Folder()
    let error = try #require(throws: LacunaError.self) {
      try Converter.convert(source: MemorySource(), to: folder.path + "/out", type: .bf16, isCancelled: { true })
    }
    #expect(error.code == .cancelled)
    #expect(folder.names.isEmpty)
  }

  @Test("what a killed conversion left is removed by the next one, a running one's is not")
  func abandoned() throws {
    let folder = try Folder()
    let dead = folder.path + "/.out.partial-1-2"
    try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: true)
    try Data([1]).write(to: URL(fileURLWithPath: dead + "/model.safetensors"))
    let alive = try StagedDirectory(destination: folder.path + "/out")
    #expect(folder.names == [StagedDirectory.split(alive.path).name])
    try Converter.convert(source: MemorySource(), to: folder.path + "/out", type: .bf16)
    #expect(folder.names.count == 2)
    let error = try #require(throws: LacunaError.self) { try alive.commit() }
    #expect(error.message.contains("in the meantime"))
  }

  @Test("a full disk is called that")
  func fullDisk() {
    #expect(OutputFile.failure("write", "x", ENOSPC).message == "x: cannot write: the disk is full")
    #expect(throws: LacunaError.self) { try OutputFile.write([1], to: "/dev/full/x") }
  }
}
