import LacunaEngine
import Testing

@Suite("Merging")
struct MergingTests {
  // The definition: the best pair anywhere, the leftmost of equals, again and again.
  private func reference(_ symbols: [SymbolID], _ table: MergeTable) -> [SymbolID] {
    var symbols = symbols
    while true {
      var best: (rank: UInt32, position: Int, symbol: SymbolID)?
      for position in symbols.indices.dropLast() {
        let merge = table.merge(symbols[position], symbols[position + 1])
        if merge.exists, merge.rank < best?.rank ?? .max { best = (merge.rank, position, merge.symbol) }
      }
      guard let best else { return symbols }
      symbols.replaceSubrange(best.position...best.position + 1, with: [best.symbol])
    }
  }

  @Test("short and long words merge as the definition says", arguments: 0..<20 as Range<UInt64>)
  func definition(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var table = MergeTable()
    // Symbols stand for strings over a small alphabet, and the same string is always the same symbol.
    var strings: [[UInt8]] = (0..<4).map { [$0] }
    for _ in 0..<60 {
      let left = Int.random(in: 0..<strings.count, using: &random)
      let right = Int.random(in: 0..<strings.count, using: &random)
      let joined = strings[left] + strings[right]
      if joined.count > 8 || strings.contains(joined) { continue }
      strings.append(joined)
    }
    for (symbol, string) in strings.enumerated() where string.count > 1 {
      // Several symbols share a rank, as pieces share a score.
      let rank = UInt32.random(in: 0..<20, using: &random)
      for split in 1..<string.count {
        guard let left = strings.firstIndex(of: Array(string[..<split])),
          let right = strings.firstIndex(of: Array(string[split...]))
        else { continue }
        table.set(SymbolID(left), SymbolID(right), MergeTable.Merge(rank: rank, symbol: SymbolID(symbol)))
      }
    }
    for length in [0, 1, 2, 3, 31, 32, 33, 34, 100, 300] {
      let symbols = (0..<length).map { _ in SymbolID.random(in: -1..<4, using: &random) }
      var run = SymbolRun()
      for (start, symbol) in symbols.enumerated() { run.append(symbol, start: start) }
      run.merge(by: table)
      #expect(run.symbols == reference(symbols, table))
      var start = 0
      for index in 0..<run.count {
        #expect(Int(run.starts[index]) == start)
        start += run.symbols[index] < 0 ? 1 : strings[Int(run.symbols[index])].count
      }
    }
  }

  @Test("a table keeps every pair while it grows, and the last of equal ones")
  func table() {
    var table = MergeTable()
    for key in 0..<5_000 as Range<Int32> { table.set(key, key &* 7 % 1_000, MergeTable.Merge(rank: 1, symbol: key)) }
    for key in 0..<5_000 as Range<Int32> {
      table.set(key, key &* 7 % 1_000, MergeTable.Merge(rank: UInt32(key), symbol: key))
    }
    #expect(table.count == 5_000)
    #expect((0..<5_000 as Range<Int32>).allSatisfy { table.merge($0, $0 &* 7 % 1_000).rank == UInt32($0) })
    #expect(!table.merge(1, 2).exists && !table.merge(-1, 0).exists && !table.merge(0, -1).exists)
  }

  @Test("pieces that Unicode calls equivalent are distinct")
  func pieces() {
    var index = PieceIndex(minimumCapacity: 1)
    #expect(index.insert(Array("\u{E9}".utf8), 1) == nil)
    #expect(index.insert(Array("e\u{301}".utf8), 2) == nil)
    #expect(index.insert(Array("e\u{301}".utf8), 3) == 2)
    #expect(index[Array("e\u{301}".utf8)] == 2)
    for id in 0..<1_000 { _ = index.insert(Array("p\(id)".utf8), SymbolID(id)) }
    #expect((0..<1_000).allSatisfy { index[Array("p\($0)".utf8)] == SymbolID($0) })
  }

  @Test(
    "long words take time in proportion, and give the text back", .timeLimit(.minutes(1)),
    arguments: ["llama-like.model", "llama3.json"])
  func longWords(file: String) throws {
    let tokenizer: any Tokenizer =
      file.hasSuffix(".model") ? try TokenizerFixtures.model("llama-like") : try TokenizerFixtures.json("llama3")
    var random = SeededGenerator(seed: 3)
    let letters = (0..<100_000).map { _ in Character(UnicodeScalar(UInt8.random(in: 97...122, using: &random))) }
    for text in [String(repeating: "e", count: 100_000), String(repeating: " ", count: 100_000), String(letters)] {
      #expect(tokenizer.decode(tokenizer.encode(text)) == text)
    }
  }
}
