internal import LacunaEngine

/// What a grammar was compiled from, so that a recorded generation can compile it again.
struct GrammarSource {
  enum Kind: String, CaseIterable {
    case json, gbnf, regex, choice
  }

  let kind: Kind
  /// Of `choice` all of them, else one.
  let texts: [String]
  var isCompact = false

  init(_ kind: Kind, _ texts: [String], isCompact: Bool = false) {
    self.kind = kind
    self.texts = texts
    self.isCompact = isCompact
  }

  /// As `value` has it; nil for anything else.
  init?(_ value: LuaValue) {
    guard case .table(let table) = value, case .string(let name) = table["kind"], let kind = Kind(rawValue: name),
      case .table(let list) = table["texts"]
    else { return nil }
    let texts = list.array.compactMap { if case .string(let text) = $0 { text } else { String?.none } }
    guard !texts.isEmpty, texts.count == list.array.count else { return nil }
    self.init(kind, texts, isCompact: { if case .bool(true) = table["compact"] { true } else { false } }())
  }

  var value: LuaValue {
    .record([
      "kind": .string(kind.rawValue), "texts": .list(texts.map { .string($0) }),
      "compact": isCompact ? .bool(true) : .nil,
    ])
  }

  func compile() throws(LacunaError) -> Grammar {
    switch kind {
    case .json: try Grammar(jsonSchema: try OrderedJSON.parse(texts[0], file: "schema"), isCompact: isCompact)
    case .gbnf: try Grammar(gbnf: texts[0])
    case .regex: try Grammar(regex: texts[0])
    case .choice: try Grammar(choice: texts)
    }
  }
}
