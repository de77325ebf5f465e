internal import LacunaEngine

/// Reads a LuaCATS file strictly: what it does not know is an error with a line, so that a description cannot be lost
/// on the way to its readers.
struct MetaReader {
  let path: String
  private(set) var module = ""
  private(set) var sections: [MetaFile.Section] = []
  private(set) var mentions: [(name: String, line: Int)] = []

  private var line = 0
  /// What the annotations in front of a declaration have said so far.
  private var block = Block()
  /// Names of local tables, and the classes that they stand for.
  private var classes: [String: String] = [:]
  private var isInSectionText = false

  private struct Block {
    var text: [String] = []
    var declared: MetaFile.Class?
    var parameters: [MetaFile.Value] = []
    var results: [MetaFile.Value] = []
    /// Names that stand for any type in one function.
    var generics: Set<String> = []
    var isEmpty: Bool { text.isEmpty && declared == nil && parameters.isEmpty && results.isEmpty }
  }

  init(path: String) { self.path = path }

  mutating func read(_ text: String) throws(LacunaError) {
    for content in text.split(separator: "\n", omittingEmptySubsequences: false) {
      line += 1
      do throws(LuaTypeReader.Fault) {
        try read(line: content)
      } catch {
        throw fault(expected: error.expected, found: error.found)
      }
    }
    // The last class may have nothing behind it.
    do throws(LuaTypeReader.Fault) { try finishClass() } catch {
      throw fault(expected: error.expected, found: error.found)
    }
    guard block.isEmpty else { throw fault(expected: "a declaration behind the annotations", found: "the end") }
    guard !module.isEmpty else { throw fault(expected: "---@meta NAME", found: "none") }
  }

  private func fault(expected: String, found: String) -> LacunaError {
    LacunaError(.malformed, "\(path):\(line): expected \(expected), found \(found)")
  }

  private mutating func read(line content: Substring) throws(LuaTypeReader.Fault) {
    if content.hasPrefix("---@") { return try read(tag: content.dropFirst(4)) }
    if content.hasPrefix("---") {
      block.text.append(String(content.dropFirst(3)))
      return
    }
    if content.hasPrefix("-- # ") {
      try finishClass()
      sections.append(MetaFile.Section(title: content.dropFirst(5).trimmed, text: ""))
      isInSectionText = true
      return
    }
    if content.hasPrefix("--") {
      if isInSectionText {
        let text = content.dropFirst(2).trimmed
        sections[sections.count - 1].text += (sections[sections.count - 1].text.isEmpty ? "" : " ") + text
      }
      return
    }
    isInSectionText = false
    if content.trimmed.isEmpty {
      try finishClass()
      guard block.isEmpty else {
        throw LuaTypeReader.Fault(expected: "a declaration behind the annotations", found: "an empty line")
      }
      return
    }
    try read(code: content)
  }

  // MARK: Annotations

  private mutating func read(tag content: Substring) throws(LuaTypeReader.Fault) {
    let end = content.firstIndex(of: " ") ?? content.endIndex
    let (tag, rest) = (content[..<end], content[end...].trimmed)
    var reader = LuaTypeReader(rest)
    switch tag {
    case "meta": module = rest
    case "class":
      try finishClass()
      let parts = rest.split(separator: ":", maxSplits: 1).map(\.trimmed)
      if parts.count > 1 { mentions.append((parts[1], line)) }
      block.declared = MetaFile.Class(
        name: parts[0], parent: parts.count > 1 ? parts[1] : nil, text: takeText(), line: line)
    case "alias":
      try finishClass()
      let parts = rest.split(separator: " ", maxSplits: 1).map(\.trimmed)
      guard parts.count == 2 else { throw LuaTypeReader.Fault(expected: "a name and a type", found: "\"\(rest)\"") }
      reader = LuaTypeReader(parts[1])
      let type = noted(try reader.type())
      let text = [takeText(), reader.rest].filter { !$0.isEmpty }.joined(separator: "\n")
      try add(.alias(MetaFile.Alias(name: parts[0], type: type, text: text, line: line)))
    case "field": try readField(&reader)
    case "operator":
      block.declared?.operators.append(rest)
      if let signature = rest.split(separator: ":", maxSplits: 1).last {
        reader = LuaTypeReader(signature)
        repeat { _ = noted(try reader.type()) } while reader.takeNext(",")
      }
    case "param":
      try finishClass()
      let (name, isOptional) = try reader.name()
      let type = noted(try reader.type())
      block.parameters.append(
        MetaFile.Value(name: name, type: type, isOptional: isOptional, text: reader.rest))
    case "return": try readResults(&reader)
    case "generic":
      try finishClass()
      block.generics.formUnion(rest.split(separator: ",").map { $0.split(separator: ":")[0].trimmed })
    default: throw LuaTypeReader.Fault(expected: "an annotation that is known here", found: "@\(tag)")
    }
  }

  private mutating func readField(_ reader: inout LuaTypeReader) throws(LuaTypeReader.Fault) {
    guard block.declared != nil else {
      throw LuaTypeReader.Fault(expected: "@class before it", found: "@field")
    }
    var (name, isOptional) = ("", false)
    if reader.takeNext("[") {
      let key = noted(try reader.type())
      name = "[\(key.text)]"
      guard reader.takeNext("]") else { throw LuaTypeReader.Fault(expected: "\"]\"", found: "\"\(reader.rest)\"") }
    } else {
      (name, isOptional) = try reader.name()
    }
    let type = noted(try reader.type())
    block.declared?.fields.append(
      MetaFile.Value(
        name: name, type: type, isOptional: isOptional || type.text.hasSuffix("?") || type.text.hasSuffix("|nil"),
        text: reader.rest))
  }

  /// `TYPE name  text`, or several separated by commas, of which the last may have a text.
  private mutating func readResults(_ reader: inout LuaTypeReader) throws(LuaTypeReader.Fault) {
    try finishClass()
    while true {
      let type = noted(try reader.type())
      let name = reader.takeName()
      let isLast = !reader.takeNext(",")
      block.results.append(
        MetaFile.Value(name: name ?? "", type: type, isOptional: false, text: isLast ? reader.rest : ""))
      if isLast { return }
    }
  }

  private mutating func noted(_ type: LuaType) -> LuaType {
    mentions += type.names.subtracting(block.generics).sorted().map { ($0, line) }
    return type
  }

  // MARK: Declarations

  private mutating func read(code content: Substring) throws(LuaTypeReader.Fault) {
    if content.hasPrefix("function ") { return try readFunction(content.dropFirst("function ".count)) }
    if content.hasPrefix("return ") || content.hasPrefix("local lacuna <const>") { return }
    guard content.hasSuffix(" = {}") else {
      throw LuaTypeReader.Fault(expected: "a table or a function", found: "\"\(content)\"")
    }
    let name = String(content.dropLast(" = {}".count).split(separator: " ").last ?? "")
    guard let declared = block.declared else {
      throw LuaTypeReader.Fault(expected: "@class before \(name)", found: "none")
    }
    classes[name] = declared.name
    try finishClass()
  }

  private mutating func readFunction(_ content: Substring) throws(LuaTypeReader.Fault) {
    try finishClass()
    guard let open = content.firstIndex(of: "("), content.hasSuffix(") end"),
      let separator = content[..<open].lastIndex(where: { $0 == ":" || $0 == "." })
    else {
      throw LuaTypeReader.Fault(expected: "OWNER.NAME(PARAMETERS) end", found: "\"\(content)\"")
    }
    let owner = String(content[..<separator])
    guard let name = classes[owner] else {
      throw LuaTypeReader.Fault(expected: "a table that was declared before", found: "\"\(owner)\"")
    }
    let names = content[content.index(after: open)...].dropLast(") end".count)
      .split(separator: ",").map(\.trimmed)
    guard names == block.parameters.map(\.name) else {
      throw LuaTypeReader.Fault(
        expected: "@param for (\(names.joined(separator: ", "))) in that order",
        found: "(\(block.parameters.map(\.name).joined(separator: ", ")))")
    }
    let (parameters, results) = (block.parameters, block.results)
    try add(
      .function(
        MetaFile.Function(
          owner: name, title: String(content[..<open]), name: String(content[content.index(after: separator)..<open]),
          isMethod: content[separator] == ":", parameters: parameters, results: results, text: takeText(), line: line)))
  }

  /// A class ends with the first line that says nothing more of it.
  private mutating func finishClass() throws(LuaTypeReader.Fault) {
    guard let declared = block.declared else { return }
    block.declared = nil
    let text = block.text
    block.text = []
    try add(.type(declared))
    block.text = text
  }

  private mutating func add(_ entry: MetaFile.Entry) throws(LuaTypeReader.Fault) {
    guard !sections.isEmpty else {
      throw LuaTypeReader.Fault(expected: "a section (-- # TITLE) before it", found: "none")
    }
    sections[sections.count - 1].entries.append(entry)
    block = Block()
  }

  private mutating func takeText() -> String {
    defer { block.text = [] }
    return block.text.joined(separator: "\n")
  }
}
