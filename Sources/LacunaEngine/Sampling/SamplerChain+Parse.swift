extension SamplerChain {
  /// Reads a chain as it is written on a command line: stages apart by blanks, `NAME` or `NAME:PARAMETER=VALUE,...`.
  ///
  ///     top_k:k=40 temperature:t=0.8 dist
  ///     penalties:repetition=1.1,prompt=false dry:sequence_breakers=["\n",":"] top_p:0.9 dist
  ///     logit_bias:15=-inf,27=2.5 greedy
  ///
  /// A value is a number, `true`, `false`, a text in double quotes (with the escapes of JSON), or a list of texts or
  /// numbers in brackets. A value alone is the stage's first parameter. Names are looked up when the chain is built.
  /// - Throws: `invalidArgument` with the text and the column.
  public static func parse(_ text: String) throws(LacunaError) -> [StageDescription] {
    var parser = ChainParser(text)
    return try parser.stages()
  }
}

/// Reads the characters of a chain from left to right.
private struct ChainParser {
  private let characters: [Character]
  private var index = 0

  init(_ text: String) { characters = Array(text) }

  mutating func stages() throws(LacunaError) -> [StageDescription] {
    var stages: [StageDescription] = []
    skipBlanks()
    while index < characters.count {
      stages.append(try stage())
      guard index == characters.count || characters[index].isWhitespace else {
        throw unexpected("a blank before the next stage")
      }
      skipBlanks()
    }
    return stages
  }

  private mutating func stage() throws(LacunaError) -> StageDescription {
    var stage = StageDescription(word())
    guard !stage.name.isEmpty else { throw unexpected("a stage's name") }
    guard take(":") else { return stage }
    var biases: [TokenID: Float] = [:]
    repeat {
      let start = index
      let name = word()
      if !name.isEmpty, take("=") {
        if let id = TokenID(name) {
          guard case .number(let bias) = try value() else { throw unexpected("a number for token \(id)", at: start) }
          guard biases.updateValue(Float(bias), forKey: id) == nil else { throw twice(name, start) }
        } else if stage.parameters.updateValue(try value(), forKey: name) != nil {
          throw twice(name, start)
        }
      } else {
        index = start
        let first = try firstParameter(of: stage.name)
        if stage.parameters.updateValue(try value(), forKey: first) != nil { throw twice(first, start) }
      }
    } while take(",")
    if !biases.isEmpty, stage.parameters.updateValue(.biases(biases), forKey: "bias") != nil {
      throw twice("bias", index)
    }
    return stage
  }

  private mutating func value() throws(LacunaError) -> StageDescription.Value {
    if index < characters.count, characters[index] == "\"" { return .text(try quoted()) }
    if take("[") { return try list() }
    let start = index
    let word = word()
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "": throw unexpected("a value")
    default:
      guard let number = Double(word), !number.isNaN else {
        throw unexpected("a number, true, false, a quoted text or a list", at: start)
      }
      return .number(number)
    }
  }

  private mutating func list() throws(LacunaError) -> StageDescription.Value {
    var texts: [String] = []
    var numbers: [Double] = []
    if take("]") { return .texts([]) }
    repeat {
      let start = index
      switch try value() {
      case .text(let text): texts.append(text)
      case .number(let number): numbers.append(number)
      default: throw unexpected("a text or a number", at: start)
      }
      guard texts.isEmpty || numbers.isEmpty else { throw unexpected("texts only, or numbers only", at: start) }
    } while take(",")
    guard take("]") else { throw unexpected("\",\" or \"]\"") }
    return texts.isEmpty ? .numbers(numbers) : .texts(texts)
  }

  private mutating func quoted() throws(LacunaError) -> String {
    index += 1
    var text = ""
    while index < characters.count, characters[index] != "\"" {
      if take("\\") {
        text.append(try escape())
      } else {
        text.append(characters[index])
        index += 1
      }
    }
    guard take("\"") else { throw unexpected("a closing quote") }
    return text
  }

  private mutating func escape() throws(LacunaError) -> Character {
    let plain: [Character: Character] = ["n": "\n", "t": "\t", "r": "\r", "\"": "\"", "\\": "\\", "/": "/"]
    if index < characters.count, let character = plain[characters[index]] {
      index += 1
      return character
    }
    if take("u"), index + 4 <= characters.count,
      let code = UInt32(String(characters[index..<(index + 4)]), radix: 16), let scalar = Unicode.Scalar(code)
    {
      index += 4
      return Character(scalar)
    }
    throw unexpected("one of \\n \\t \\r \\\" \\\\ \\/ \\uXXXX")
  }

  // MARK: Characters

  /// Up to a character that has a meaning here.
  private mutating func word() -> String {
    let start = index
    while index < characters.count, !characters[index].isWhitespace, !":=,[]\"".contains(characters[index]) {
      index += 1
    }
    return String(characters[start..<index])
  }

  private mutating func take(_ character: Character) -> Bool {
    guard index < characters.count, characters[index] == character else { return false }
    index += 1
    return true
  }

  private mutating func skipBlanks() {
    while index < characters.count, characters[index].isWhitespace { index += 1 }
  }

  /// What a value without a name is for.
  private func firstParameter(of stage: String) throws(LacunaError) -> String {
    guard let schema = SamplerChain.catalogue.first(where: { $0.name == stage }) else {
      throw unexpected("PARAMETER=VALUE, for \"\(stage)\" is no native stage\(SamplerChain.hint(stage))")
    }
    guard let first = schema.parameters.first else { throw unexpected("\"\(stage)\" alone, which takes no parameters") }
    return first.name
  }

  private func unexpected(_ expectation: String, at place: Int? = nil) -> LacunaError {
    let place = place ?? index
    let rest = place < characters.count ? "\"\(String(characters[place...].prefix(20)))\"" : "the end"
    return LacunaError(
      .invalidArgument,
      // Whose words they are, who parses them knows: a chain's, a probe's.
      "\"\(String(characters))\", column \(place + 1): expected \(expectation), found \(rest)")
  }

  private func twice(_ name: String, _ place: Int) -> LacunaError {
    unexpected("each parameter once (\"\(name)\" was set before)", at: place)
  }
}
