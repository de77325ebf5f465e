import LacunaEngine

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Records from standard input, one JSON object a line; empty lines are skipped.
struct JSONLines<Record: Decodable>: ~Copyable {
  private var number = 0
  private let decoder = JSONDecoder()

  /// The next record; nil at the end of the input or after Ctrl-C.
  /// - Throws: `malformed` naming the line and the key.
  mutating func next() throws(LacunaError) -> Record? {
    while !Interrupt.isRequested, let line = readLine() {
      number += 1
      if line.allSatisfy(\.isWhitespace) { continue }
      do {
        return try decoder.decode(Record.self, from: Data(line.utf8))
      } catch {
        throw LacunaError(.malformed, "standard input, line \(number): \(Self.reason(error))")
      }
    }
    return nil
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "expected a JSON object, found something else" }
    switch error {
    case .keyNotFound(let key, _):
      return "expected the key \"\(key.stringValue)\", found none"
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
      return "\(path.isEmpty ? "the line" : path): expected \(name(of: type)), found another type"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
      return "\(path): \(context.debugDescription)"
    default:
      return "expected a JSON object, found text that is not JSON"
    }
  }

  private static func name(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a string"
    case is Int32.Type, is Int.Type: "an integer"
    case is Bool.Type: "true or false"
    case is any Collection.Type: "a list"
    default: "an object"
    }
  }
}
