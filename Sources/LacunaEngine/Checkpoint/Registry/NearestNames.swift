/// The names that a mistyped one may have meant.
enum NearestNames {
  /// At most three, nearest first: those within a third of the name's length in edits, or that begin with it.
  static func of(_ name: String, among names: [String]) -> [String] {
    let wanted = Array(name.lowercased().utf8.prefix(64))
    guard !wanted.isEmpty else { return [] }
    let limit = max(1, wanted.count / 3)
    let near = names.compactMap { candidate -> (name: String, distance: Int)? in
      let lower = Array(candidate.lowercased().utf8)
      let distance = lower.starts(with: wanted) ? 0 : edits(wanted, lower)
      return distance <= limit ? (candidate, distance) : nil
    }
    return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  /// Levenshtein's distance in bytes, one row of the table at a time.
  static func edits(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, byte) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let substituted = diagonal + (byte == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
