import Foundation
import LacunaEngine
import LacunaTestSupport
import Testing

@Suite("Mapped files")
struct MappedFileTests {
  @Test("a file's bytes are mapped, through links too")
  func maps() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write([1, 2, 3], to: "data")
    try FileManager.default.createSymbolicLink(atPath: "\(directory.path)/link", withDestinationPath: path)
    let file = try MappedFile(path: "\(directory.path)/link")
    withExtendedLifetime(file) { #expect(Array(file.bytes) == [1, 2, 3]) }
    #expect(try readFile(path, limit: 3) == [1, 2, 3])
  }

  @Test("a pipe, a device, a directory and an empty file are refused at once", .timeLimit(.minutes(1)))
  func kinds() throws {
    let directory = try TemporaryDirectory()
    try #require(mkfifo("\(directory.path)/pipe", 0o600) == 0)
    try directory.write([], to: "empty")
    for (path, found) in [
      ("\(directory.path)/pipe", "a pipe"), ("/dev/zero", "a device"), (directory.path, "a directory"),
      ("\(directory.path)/empty", "an empty file"),
    ] {
      let error = try #require(throws: LacunaError.self) { _ = try MappedFile(path: path) }
      #expect(error.message.contains(found) && error.message.contains(path))
    }
    #expect(throws: LacunaError.self) { _ = try readFile("\(directory.path)/pipe", limit: 10) }
  }

  @Test("a file that is not there is told from one that cannot be read")
  func missing() throws {
    let directory = try TemporaryDirectory()
    let error = try #require(throws: LacunaError.self) { _ = try MappedFile(path: "\(directory.path)/none") }
    #expect(error.code == .notFound)
  }

  @Test("a file larger than the limit is refused before it is read")
  func limit() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write([UInt8](repeating: 0, count: 11), to: "data")
    let error = try #require(throws: LacunaError.self) { _ = try readFile(path, limit: 10) }
    #expect(error.message.contains("at most 10 bytes, found 11"))
  }

  @Test("a file cut short while it is mapped is noticed before the first use")
  func shrinks() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write([UInt8](repeating: 0, count: 10_000), to: "data")
    let file = try MappedFile(path: path)
    try file.checkUnchanged()
    try #require(truncate(path, 100) == 0)
    let error = try #require(throws: LacunaError.self) { try file.checkUnchanged() }
    #expect(error.message.contains(path) && error.message.contains("10000 bytes, found 100"))
  }

  @Test("reading past a file cut short ends the process in order, naming the file")
  func busError() async throws {
    let result = await #expect(processExitsWith: .exitCode(BusErrorExit.status), observing: [\.standardErrorContent]) {
      BusErrorExit.install()
      let directory = try TemporaryDirectory()
      let path = try directory.write([UInt8](repeating: 7, count: 100_000), to: "weights")
      let file = try MappedFile(path: path)
      precondition(truncate(path, 0) == 0)
      withExtendedLifetime(file) { print(file.bytes[90_000]) }
    }
    let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(message.contains("/weights: cannot be read any more"))
  }
}
