extension TokenizerJSONFile {
  // MARK: Byte-level

  /// The rules of a byte-level vocabulary; nil if the pre-tokenizer is not byte-level.
  func byteLevelRules() throws(LacunaError) -> ByteLevelBPETokenizer.Rules? {
    let components = preTokenizer.type == "Sequence" ? preTokenizer["pretokenizers"]?.elements ?? [] : [preTokenizer]
    guard let last = components.last, last.type == "ByteLevel" else { return nil }
    guard normalizer.isNull else { throw unsupported("normalizer", "none with a byte-level vocabulary", normalizer) }
    guard !model.byteFallback else {
      throw LacunaError(
        .unsupported, file: file, field: "model.byte_fallback", expected: "false with a byte-level vocabulary",
        found: "true")
    }
    var steps: [PreTokenizer.Step] = []
    for component in components.dropLast() { steps.append(try step(component)) }
    if last.member("use_regex")?.bool ?? true { steps.append(.pattern(.gpt2)) }
    let addsPrefixSpace = last.member("add_prefix_space")?.bool ?? true
    guard !addsPrefixSpace || components.count == 1 else {
      throw LacunaError(
        .unsupported, file: file, field: "pre_tokenizer: ByteLevel.add_prefix_space", expected: "false in a sequence",
        found: "true")
    }
    return ByteLevelBPETokenizer.Rules(
      preTokenizer: PreTokenizer(steps), addsPrefixSpace: addsPrefixSpace, ignoresMerges: model.ignoresMerges)
  }

  private func step(_ component: JSONValue) throws(LacunaError) -> PreTokenizer.Step {
    switch component.type {
    case "Digits": return component.member("individual_digits")?.bool ?? false ? .eachNumber : .numberRuns
    case "Split":
      let regex = component["pattern"]?["Regex"]?.string
      guard let regex, let step = PreTokenizer.Step(regex: regex) else {
        throw LacunaError(
          .unsupported, file: file, field: "pre_tokenizer: Split.pattern", expected: "a pattern that is known",
          found: regex.map { "\"\($0.clipped)\"" } ?? component["pattern"]?.shown ?? "none")
      }
      // With "Removed" and inverted, what does not match goes: nothing, for patterns that cover every text.
      let behavior = component.member("behavior")?.string ?? ""
      let inverted = component.member("invert")?.bool ?? false
      guard behavior == "Isolated" && !inverted || behavior == "Removed" && inverted && step.coversEveryText else {
        throw LacunaError(
          .unsupported, file: file, field: "pre_tokenizer: Split.behavior", expected: "Isolated",
          found: behavior.clipped + (inverted ? ", inverted" : ""))
      }
      return step
    default: throw unsupported("pre_tokenizer", "Split, Digits, ByteLevel or Metaspace", component)
    }
  }

  // MARK: SentencePiece

  func sentencePieceRules() throws(LacunaError) -> SentencePieceRules {
    var rules = SentencePieceRules()
    rules.byteFallback = model.byteFallback
    rules.fusesUnknown = model.fusesUnknown
    rules.dummyPrefix = .never
    guard !model.ignoresMerges else {
      throw LacunaError(
        .unsupported, file: file, field: "model.ignore_merges", expected: "false with a SentencePiece vocabulary",
        found: "true")
    }
    let normalizers = normalizer.type == "Sequence" ? normalizer["normalizers"]?.elements ?? [] : [normalizer]
    var escapes = false
    for component in normalizers where !component.isNull {
      switch (
        component.type, component["prepend"]?.string, component["pattern"]?["String"]?.string,
        component["content"]?.string
      ) {
      case ("Prepend", Self.space, _, _) where !escapes: rules.dummyPrefix = .always
      case ("Replace", _, " ", Self.space): escapes = true
      default: throw unsupported("normalizer", "Prepend and Replace of spaces by U+2581", component)
      }
    }
    if preTokenizer.type == "Metaspace" {
      guard !escapes, rules.dummyPrefix == .never, preTokenizer["replacement"]?.string ?? Self.space == Self.space
      else {
        throw unsupported("pre_tokenizer", "none beside this normalizer", preTokenizer)
      }
      escapes = true
      rules.splitsAtEverySpace = preTokenizer.member("split")?.bool ?? true
      let older = preTokenizer.member("add_prefix_space")?.bool ?? true ? "always" : "never"
      switch preTokenizer.member("prepend_scheme")?.string ?? older {
      case "always": rules.dummyPrefix = .ifMissing
      case "first":
        rules.dummyPrefix = .ifMissing
        rules.prefixesEverySegment = false
      case "never": break
      case let scheme:
        throw LacunaError(
          .unsupported, file: file, field: "pre_tokenizer: Metaspace.prepend_scheme",
          expected: "always, first or never",
          found: "\"\(scheme.clipped)\"")
      }
    } else if !preTokenizer.isNull {
      throw unsupported("pre_tokenizer", "ByteLevel, Metaspace or none", preTokenizer)
    }
    guard escapes else { throw unsupported("normalizer", "spaces replaced by U+2581", normalizer) }
    return rules
  }

  private static let space = "\u{2581}"
}

extension PreTokenizer.Step {
  /// Recognizes a regular expression by its text; nil for one that is not known.
  init?(regex: String) {
    let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    let words = #"[^\r\n\p{L}\p{N}]?\p{L}+"#
    let rest = #" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    switch regex {
    case #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
      #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#:
      self = .pattern(.gpt2)
    case "\(contractions)|\(words)|\\p{N}{1,3}|\(rest)": self = .pattern(.llama3(longestNumber: 3))
    case "\(contractions)|\(words)|\\p{N}|\(rest)": self = .pattern(.llama3(longestNumber: 1))
    case #"\p{N}"#: self = .eachNumber
    case #"\p{N}+"#: self = .numberRuns
    default: return nil
    }
  }

  var coversEveryText: Bool { if case .pattern = self { true } else { false } }
}
