import LacunaEngine

/// A record of a JSON line: reads its own members.
protocol JSONLineRecord {
  /// - Throws: `malformed`, through the reader, for members of another type; a missing member stays as it was.
  mutating func read(_ member: String, from reader: inout JSONReader) throws(LacunaError)
  /// Names of the members that every record must have.
  static var requiredMembers: [String] { get }
  init()
}

/// Records from standard input, one JSON object a line; empty lines are skipped, and so are members that the record
/// does not know.
struct JSONLines<Record: JSONLineRecord>: ~Copyable {
  private var input = StandardInput()
  private(set) var number = 0

  /// The next record; nil at the end of the input or after Ctrl-C.
  /// - Throws: `malformed` naming the line.
  mutating func next() throws(LacunaError) -> Record? {
    while let line = try input.line() {
      number += 1
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      return try parse(line)
    }
    return nil
  }

  /// Whether `next` would return at once.
  var isReady: Bool { input.hasLine }

  private func parse(_ line: [UInt8]) throws(LacunaError) -> Record {
    let place = "standard input, line \(number)"
    var record = Record()
    var missing = Set(Record.requiredMembers)
    var failure: LacunaError?
    line.withUnsafeBytes { bytes in
      do throws(LacunaError) {
        var reader = JSONReader(bytes, file: place)
        try reader.readObject { (reader, name) throws(LacunaError) in
          missing.remove(name)
          if Record.requiredMembers.contains(name) {
            try record.read(name, from: &reader)
          } else {
            try reader.skipValue()
          }
        }
        try reader.finish()
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    if let name = Record.requiredMembers.first(where: missing.contains) {
      throw LacunaError(.malformed, "\(place): expected the member \"\(name)\", found none")
    }
    return record
  }
}

/// `{"text": "..."}`.
struct TextLine: JSONLineRecord {
  var text = ""
  static let requiredMembers = ["text"]
  mutating func read(_ member: String, from reader: inout JSONReader) throws(LacunaError) {
    text = try reader.readString()
  }
}

/// `{"ids": [1, 2, 3]}`.
struct IDsLine: JSONLineRecord {
  var ids: [TokenID] = []
  static let requiredMembers = ["ids"]
  mutating func read(_ member: String, from reader: inout JSONReader) throws(LacunaError) {
    var list: [TokenID] = []
    try reader.readArray { (reader) throws(LacunaError) in
      let value = try reader.readInteger()
      guard let id = TokenID(exactly: value) else {
        throw reader.failure("expected a token id, found \(value)")
      }
      list.append(id)
    }
    ids = list
  }
}

/// `{"prompt": "...", "answer": "..."}`.
struct AnswerLine: JSONLineRecord {
  var prompt = ""
  var answer = ""
  static let requiredMembers = ["prompt", "answer"]
  mutating func read(_ member: String, from reader: inout JSONReader) throws(LacunaError) {
    let text = try reader.readString()
    if member == "prompt" { prompt = text } else { answer = text }
  }
}
