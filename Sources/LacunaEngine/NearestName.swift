/// Finds what somebody may have meant.
package enum NearestName {
  /// The candidate at the smallest edit distance from `name` (Levenshtein's, with neighbours swapped at the price of
  /// one), the first among equals; nil where even that one shares too little with it.
  package static func of(_ name: String, in candidates: [String]) -> String? {
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(Array(name.lowercased().prefix(64)), Array(candidate.lowercased()))
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(2, (max(name.count, best.name.count) + 1) / 2) else { return nil }
    return best.name
  }

  /// " (did you mean "NAME"?)", or nothing.
  package static func hint(_ name: String, in candidates: [String]) -> String {
    of(name, in: candidates).map { " (did you mean \"\($0)\"?)" } ?? ""
  }

  /// At most three candidates, nearest first: those that begin with the name, or are within a third of its length.
  package static func several(_ name: String, in candidates: [String]) -> [String] {
    let wanted = Array(name.lowercased().prefix(64))
    guard !wanted.isEmpty else { return [] }
    let near = candidates.compactMap { candidate -> (name: String, distance: Int)? in
      let characters = Array(candidate.lowercased())
      let distance = characters.starts(with: wanted) ? 0 : distance(wanted, characters)
      return distance <= max(1, wanted.count / 3) ? (candidate, distance) : nil
    }
    return near.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
  }

  /// Optimal string alignment over three rows.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
