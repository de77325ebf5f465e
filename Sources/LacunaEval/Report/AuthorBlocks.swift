/// Which rows ask about the same author.
///
/// TOFU asks 20 questions about each, one author after the other, and data in its layout other numbers. The files name no
/// authors, so both are read off the texts: the names that a block's questions and answers repeat.
package struct AuthorBlocks: Sendable, Equatable {
  package struct Block: Sendable, Equatable {
    /// The name that most of the rows hold; "rows 20 to 39" if none stands out.
    package let name: String
    /// Of the block's first row, in the data.
    package let firstRow: Int
  }

  /// Questions about each author.
  package let size: Int
  /// The most of them that were asked: fewer where a run took the first rows only.
  package let width: Int
  package let blocks: [Block]

  /// TOFU's own number first: it stands where texts do not speak for another.
  private static let sizes = [20, 10, 5]

  /// - Parameter texts: question and answer of each row.
  package init(_ texts: [Int: String]) {
    let names = texts.mapValues(Self.names)
    var best = (size: Self.sizes[0], coverage: 0.0)
    for size in Self.sizes {
      let blocks = Dictionary(grouping: names.keys) { $0 / size }.values
      let covered = blocks.map { Self.common($0.map { names[$0] ?? [] })?.count ?? 0 }.reduce(0, +)
      let coverage = Double(covered) / Double(max(names.count, 1))
      // Halving a block that is right covers hardly more; halving one of two authors covers twice as much.
      if coverage > 1.4 * best.coverage { best = (size, coverage) }
    }
    size = best.size
    width = names.keys.map { $0 % best.size + 1 }.max() ?? best.size
    blocks = Set(names.keys.map { $0 / best.size }).sorted().map { block in
      let rows = block * best.size..<(block + 1) * best.size
      let known = rows.compactMap { names[$0] }
      let name = Self.common(known).flatMap { 2 * $0.count >= known.count ? $0.name : nil }
      return Block(
        name: name ?? "rows \(rows.lowerBound) to \(rows.upperBound - 1)", firstRow: rows.lowerBound
      )
    }
  }

  /// The name in the most of the rows, a longer one where it is about as frequent.
  private static func common(_ rows: [Set<String>]) -> (name: String, count: Int)? {
    var counts: [String: Int] = [:]
    for row in rows { for name in row { counts[name, default: 0] += 1 } }
    let most = counts.values.max() ?? 0
    let frequent = counts.filter { 10 * $0.value >= 8 * most }
    return frequent.max {
      let (a, b) = ($0.key.split(separator: " ").count, $1.key.split(separator: " ").count)
      return (a, $0.value, $1.key) < (b, $1.value, $0.key)
    }.map { ($0.key, $0.value) }
  }

  /// Two to four capitalised words in a row, and all shorter runs within.
  private static func names(_ text: String) -> Set<String> {
    var found: Set<String> = []
    var run: [String] = []
    for part in text.split(whereSeparator: \.isWhitespace) {
      var word = part.drop { !$0.isLetter }
      let ends = word.last.map { !$0.isLetter } ?? true
      while let last = word.last, !last.isLetter { word.removeLast() }
      let isPossessive = word.hasSuffix("'s") || word.hasSuffix("\u{2019}s")
      if isPossessive { word = word.dropLast(2) }
      run = word.first?.isUppercase == true ? run + [String(word)] : []
      for length in 2...4 where run.count >= length {
        found.insert(run.suffix(length).joined(separator: " "))
      }
      if ends || isPossessive { run = [] }
    }
    return found
  }
}
