// Helpers shared by the test targets: files that ship with the tests, and files that a test makes for itself.
import Foundation
import Synchronization

/// Files under Tests/Fixtures.
package enum Fixture {
  /// - Parameter name: "golden/llama3-rope".
  package static func path(_ name: String) -> String {
    "\(root)/Tests/Fixtures/\(name)"
  }

  /// The plugins that ship.
  package static var plugins: String { "\(root)/plugins" }

  /// The project's folder: this file is Tests/LacunaTestSupport/Fixtures.swift.
  private static var root: String {
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
  }
}

/// A directory that goes away with this object.
package final class TemporaryDirectory: Sendable {
  package let path: String

  package init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// - Parameter name: folders that are not there are made.
  /// - Returns: the file's path.
  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) throws -> String {
    let url = URL(fileURLWithPath: "\(path)/\(name)")
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return "\(path)/\(name)"
  }

  @discardableResult
  package func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }
}

/// Holds what a test's pointers lead into until the test is over: Swift may let go of a value after its last mention.
package final class Keeper: Sendable {
  private let kept = Mutex<[any Sendable]>([])

  package init() {}

  package func keep<Value: Sendable>(_ value: Value) -> Value {
    kept.withLock { $0.append(value) }
    return value
  }
}
