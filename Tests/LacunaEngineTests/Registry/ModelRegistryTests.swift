import Foundation
import LacunaEngine
import Testing

@Suite("Models by name")
struct ModelRegistryTests {
  /// A share directory with two models and a cache with a directory, a GGUF file and things that are no models.
  private final class Install {
    let path = NSTemporaryDirectory() + "/registry-\(UUID().uuidString)"
    let registry: ModelRegistry

    init() throws {
      registry = ModelRegistry(shareDirectory: path + "/share/lacuna", cacheDirectory: path + "/cache")
      for name in ["share/lacuna/models/demo", "share/lacuna/models/demo-unlearned", "cache/llama", "cache/demo"] {
        try write("\(name)/config.json", #"{"dtype": "bfloat16"}"#)
      }
      try write("share/lacuna/models/README.md", "no model")
      try write("cache/.hidden/config.json", "{}")
      try write("cache/notes.txt", "no model")
      try write("cache/broken.gguf", "GGML")
      try FileManager.default.copyItem(atPath: GGUFFixtures.path("tiny-bpe.gguf"), toPath: path + "/cache/tiny.gguf")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
      let url = URL(fileURLWithPath: "\(path)/\(name)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
  }

  @Test("shipped and cached models are listed with size and format; a shipped name hides a cached one")
  func lists() throws {
    let install = try Install()
    let list = install.registry.list()
    #expect(list.map(\.entry.name) == ["demo", "demo-unlearned", "broken", "llama", "tiny"])
    #expect(list.map(\.entry.kind) == [.shipped, .shipped, .cached, .cached, .cached])
    #expect(list[0].stored == "bfloat16")
    #expect(list[0].byteCount == 21)
    #expect(list[2].stored.hasPrefix("damaged: "))
    #expect(list[4].stored == "GGUF Q4_1")
  }

  @Test("a name, nothing, a directory and a file resolve")
  func resolves() throws {
    let install = try Install()
    let registry = install.registry
    #expect(try registry.resolve(nil).path == install.path + "/share/lacuna/models/demo")
    #expect(try registry.resolve("").name == "demo")
    #expect(try registry.resolve("tiny").path == install.path + "/cache/tiny.gguf")
    let file = try registry.resolve(install.path + "/cache/tiny.gguf")
    #expect(file.kind == .path && file.name == "tiny")
    #expect(try registry.resolve(install.path + "/cache/llama/").name == "llama")
  }

  @Test("an unknown name is refused with the nearest ones")
  func refuses() throws {
    let registry = try Install().registry
    func message(_ name: String) throws -> String {
      let error = try #require(throws: LacunaError.self) { try registry.resolve(name) }
      #expect(error.code == .notFound)
      return error.message
    }
    let install = try Install()
    #expect(throws: LacunaError.self) { try install.registry.resolve(".hidden") }
    #expect(throws: LacunaError.self) { try install.registry.resolve("a\0b") }
    let near = try #require(throws: LacunaError.self) { try install.registry.resolve("demo-unlerned") }
    #expect(near.message.contains("did you mean demo-unlearned?"))
    let far = try #require(throws: LacunaError.self) { try install.registry.resolve("zzzzzzzz") }
    #expect(far.message.contains("known models: demo, demo-unlearned, broken, llama, tiny"))
    let none = ModelRegistry(shareDirectory: nil, cacheDirectory: nil)
    let empty = try #require(throws: LacunaError.self) { try none.resolve(nil) }
    #expect(empty.message.contains("no models are installed"))
  }

  @Test(
    "names that could leave a directory are not safe", arguments: ["", ".", "..", "a/b", "-x", ".x", "a b", "ä", "a\0"])
  func unsafeNames(name: String) { #expect(!ModelRegistry.isSafe(name: name)) }

  @Test("the share directory is the environment's, the installed one, or a checkout's")
  func share() throws {
    let install = try Install()
    #expect(ModelDirectories.share(environment: "/x", executable: nil) == "/x")
    #expect(
      ModelDirectories.share(environment: nil, executable: install.path + "/bin/lacuna") == install.path
        + "/share/lacuna")
    #expect(
      ModelDirectories.share(environment: nil, executable: install.path + "/.build/release/lacuna")
        == install.path + "/share/lacuna")
    #expect(ModelDirectories.share(environment: nil, executable: "/nowhere/bin/lacuna") == nil)
  }

  @Test("the cache follows the base directory specification")
  func cache() {
    #expect(ModelDirectories.cache(xdg: "/c", home: "/h") == "/c/lacuna")
    #expect(ModelDirectories.cache(xdg: "relative", home: "/h") == "/h/.cache/lacuna")
    #expect(ModelDirectories.cache(xdg: nil, home: nil) == nil)
  }
}
