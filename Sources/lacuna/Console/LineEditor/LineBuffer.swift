/// A text that is being typed, and the cursor in it.
struct LineBuffer {
  private(set) var characters: [Character] = []
  /// 0...characters.count.
  private(set) var cursor = 0
  /// What was cut last.
  private var clipboard: [Character] = []

  init(_ text: String = "") {
    characters = Array(text)
    cursor = characters.count
  }

  var text: String { String(characters) }
  var beforeCursor: String { String(characters[..<cursor]) }
  var isAtEnd: Bool { cursor == characters.count }

  mutating func insert(_ text: String) {
    let inserted = Array(text)
    characters.insert(contentsOf: inserted, at: cursor)
    cursor += inserted.count
  }

  mutating func move(by offset: Int) { cursor = min(max(cursor + offset, 0), characters.count) }
  mutating func moveToStart() { cursor = 0 }
  mutating func moveToEnd() { cursor = characters.count }
  mutating func moveByWord(_ direction: Int) { cursor = wordEnd(direction) }

  mutating func deleteBackward(_ count: Int = 1) {
    let count = min(count, cursor)
    characters.removeSubrange(cursor - count..<cursor)
    cursor -= count
  }

  mutating func deleteForward() { if !isAtEnd { characters.remove(at: cursor) } }

  mutating func cutToEnd() { cut(cursor..<characters.count) }
  mutating func cutToStart() { cut(0..<cursor) }
  mutating func cutWord() { cut(wordEnd(-1)..<cursor) }
  mutating func paste() { insert(String(clipboard)) }

  private mutating func cut(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    clipboard = Array(characters[range])
    characters.removeSubrange(range)
    cursor = range.lowerBound
  }

  /// Over what is no word, then over a word.
  private func wordEnd(_ direction: Int) -> Int {
    func isWord(_ index: Int) -> Bool {
      characters[index].isLetter || characters[index].isNumber || characters[index] == "_"
    }
    var place = cursor
    if direction < 0 {
      while place > 0, !isWord(place - 1) { place -= 1 }
      while place > 0, isWord(place - 1) { place -= 1 }
    } else {
      while place < characters.count, !isWord(place) { place += 1 }
      while place < characters.count, isWord(place) { place += 1 }
    }
    return place
  }
}
