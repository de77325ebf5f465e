import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads lines from a terminal, with editing, history and completion. A line that is wider than the terminal scrolls
/// sideways; line breaks of an entry from the history show as "↵".
struct LineEditor {
  enum Line {
    case text(String)
    /// Ctrl-C.
    case interrupted
    /// Ctrl-D on an empty line, or the end of the input.
    case end
  }

  var history: LineHistory
  /// For the text before the cursor: what it may go on with, and how many of its last bytes that replaces.
  private let complete: (String) -> (names: [String], replaced: Int)
  private var buffer = LineBuffer()
  /// Of the history; its count stands for the line that is being typed, which `draft` keeps meanwhile.
  private var place = 0
  private var draft = ""
  private var prompt = ""

  init(history: LineHistory, complete: @escaping (String) -> (names: [String], replaced: Int)) {
    self.history = history
    self.complete = complete
  }

  mutating func read(prompt: String) -> Line {
    // What the program has printed comes first; text without a line's end pushes the prompt to the next line, by as many
    // spaces as a row has.
    fflush(nil)
    guard let terminal = RawTerminal() else { return .end }
    write(String(repeating: " ", count: RawTerminal.width) + "\r")
    defer { terminal.restore() }
    self.prompt = prompt
    buffer = LineBuffer()
    place = history.entries.count
    draft = ""
    var waiting = RawTerminal.waitingCount
    let keys = KeyReader {
      waiting -= 1
      return RawTerminal.byte()
    }
    var previous = Key.unknown
    while true {
      draw()
      let key = keys.next()
      switch key {
      case .enter:
        buffer.moveToEnd()
        draw()
        write("\r\n")
        return .text(buffer.text)
      case .control("c"):
        write("^C\r\n")
        return .interrupted
      // A Ctrl-D from before the prompt, when the terminal still took whole lines, comes as a zero.
      case .control("d") where buffer.characters.isEmpty, .control("@") where buffer.characters.isEmpty && waiting >= 0,
        .endOfInput:
        write("\r\n")
        return .end
      case .tab: completeWord(showsAll: previous == .tab)
      default: edit(key)
      }
      previous = key
    }
  }

  private mutating func edit(_ key: Key) {
    switch key {
    case .character(let character): buffer.insert(String(character))
    case .backspace: buffer.deleteBackward()
    case .delete, .control("d"): buffer.deleteForward()
    case .left, .control("b"): buffer.move(by: -1)
    case .right, .control("f"): buffer.move(by: 1)
    case .home, .control("a"): buffer.moveToStart()
    case .end, .control("e"): buffer.moveToEnd()
    case .wordLeft: buffer.moveByWord(-1)
    case .wordRight: buffer.moveByWord(1)
    case .control("k"): buffer.cutToEnd()
    case .control("u"): buffer.cutToStart()
    case .control("w"): buffer.cutWord()
    case .control("y"): buffer.paste()
    case .control("l"): write("\u{1B}[H\u{1B}[2J")
    case .up, .control("p"): recall(place - 1)
    case .down, .control("n"): recall(place + 1)
    case .control("r"): searchBackward()
    default: break
    }
  }

  // MARK: History

  private mutating func recall(_ index: Int) {
    guard (0...history.entries.count).contains(index) else { return }
    if place == history.entries.count { draft = buffer.text }
    place = index
    buffer = LineBuffer(index == history.entries.count ? draft : history.entries[index])
  }

  /// The next older entry that contains what has been typed.
  private mutating func searchBackward() {
    if place == history.entries.count { draft = buffer.text }
    guard let found = history.entries[..<place].lastIndex(where: { $0.contains(draft) }) else { return }
    place = found
    buffer = LineBuffer(history.entries[found])
  }

  // MARK: Completion

  private mutating func completeWord(showsAll: Bool) {
    let (names, replaced) = complete(buffer.beforeCursor)
    guard let first = names.first else { return }
    let typed = String(decoding: buffer.beforeCursor.utf8.suffix(replaced), as: UTF8.self)
    let common = names.dropFirst().reduce(first) { $0.commonPrefix(with: $1) }
    if common.count > typed.count {
      buffer.deleteBackward(typed.count)
      buffer.insert(common)
    } else if names.count > 1, showsAll {
      list(names)
    }
  }

  /// In columns, below the line.
  private func list(_ names: [String]) {
    let column = (names.map(\.count).max() ?? 0) + 2
    let perRow = max(1, RawTerminal.width / column)
    var text = "\r\n"
    for (index, name) in names.enumerated() {
      text += name
      text +=
        (index + 1) % perRow == 0 || index + 1 == names.count
        ? "\r\n" : String(repeating: " ", count: column - name.count)
    }
    write(text)
  }

  // MARK: Drawing

  private func draw() {
    let room = max(8, RawTerminal.width - prompt.count - 1)
    let cells = buffer.characters.map { $0 == "\n" ? "↵" : String($0) }
    let widths = cells.map(Self.width)
    // As far to the left as leaves the cursor on the screen.
    var start = 0
    while widths[start..<buffer.cursor].reduce(0, +) >= room { start += 1 }
    var (end, used) = (start, 0)
    while end < cells.count, used + widths[end] <= room {
      used += widths[end]
      end += 1
    }
    let column = prompt.count + widths[start..<buffer.cursor].reduce(0, +)
    write("\r\u{1B}[K\(prompt)\(cells[start..<end].joined())\r\(column > 0 ? "\u{1B}[\(column)C" : "")")
  }

  /// Columns of a character: two for those that Unicode's EastAsianWidth.txt calls wide, in broad ranges.
  private static func width(_ text: String) -> Int {
    guard let scalar = text.unicodeScalars.first else { return 0 }
    return scalar.properties.isEmojiPresentation || wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
    0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD,
  ]

  private func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { RawTerminal.write($0) }
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }
}

/// A terminal that hands over every key as it comes, until it is put back.
struct RawTerminal {
  private let before: termios

  /// Nil where standard input is no terminal.
  init?() {
    var attributes = termios()
    guard tcgetattr(STDIN_FILENO, &attributes) == 0 else { return nil }
    before = attributes
    attributes.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON)
    attributes.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
    tcsetattr(STDIN_FILENO, TCSADRAIN, &attributes)
  }

  func restore() {
    var attributes = before
    tcsetattr(STDIN_FILENO, TCSADRAIN, &attributes)
  }

  /// Columns; 80 where nobody says.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Bytes that were typed and not read yet.
  static var waitingCount: Int {
    var count: Int32 = 0
    return ioctl(STDIN_FILENO, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
  }

  static func byte() -> UInt8? {
    var byte: UInt8 = 0
    while true {
      let count = read(STDIN_FILENO, &byte, 1)
      if count == 1 { return byte }
      if count < 0, errno == EINTR { continue }
      return nil
    }
  }

  static func write(_ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Glibc)
      Glibc.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
    #else
      Darwin.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
    #endif
  }
}

extension String {
  fileprivate func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map(\.0))
  }
}
