/// Porter's suffix stripper (Porter 1980, "An algorithm for suffix stripping") with the departures that NLTK makes by
/// default: a list of irregular words, "-ies" and "-ied" in words of four letters, "y" after consonants only, and three
/// more rules in step 2.
///
/// Words are bytes of a-z and 0-9; a digit counts as a consonant.
public enum PorterStemmer {
  typealias Word = [UInt8]

  public static func stem(_ word: [UInt8]) -> [UInt8] {
    if let irregular = irregulars[word] { return irregular }
    if word.count <= 2 { return word }
    return step5b(step5a(step4(step3(step2(step1c(step1b(step1a(word))))))))
  }

  private static let irregulars: [Word: Word] = {
    let forms = [
      "sky": "sky skies", "die": "dying", "lie": "lying", "tie": "tying", "news": "news", "inning": "innings inning",
      "outing": "outings outing", "canning": "cannings canning", "howe": "howe", "proceed": "proceed",
      "exceed": "exceed", "succeed": "succeed",
    ]
    var table: [Word: Word] = [:]
    for (stem, words) in forms {
      for word in words.split(separator: " ") { table[Word(word.utf8)] = Word(stem.utf8) }
    }
    return table
  }()

  // MARK: Steps

  private static func step1a(_ word: Word) -> Word {
    if word.count == 4, let stem = word.without("ies") { return stem + Word("ie".utf8) }
    return apply([("sses", "ss", always), ("ies", "i", always), ("ss", "ss", always), ("s", "", always)], to: word)
  }

  private static func step1b(_ word: Word) -> Word {
    if let stem = word.without("ied") { return stem + Word((word.count == 4 ? "ie" : "i").utf8) }
    if let stem = word.without("eed") { return stem.measure > 0 ? stem + Word("ee".utf8) : word }
    guard let stem = word.without("ed").flatMap(withVowel) ?? word.without("ing").flatMap(withVowel) else {
      return word
    }
    for (suffix, replacement) in [("at", "ate"), ("bl", "ble"), ("iz", "ize")] {
      if let rest = stem.without(suffix) { return rest + Word(replacement.utf8) }
    }
    if stem.endsInDoubleConsonant {
      return "lsz".utf8.contains(stem[stem.count - 1]) ? stem : Word(stem.dropLast())
    }
    return stem.measure == 1 && stem.endsInShortSyllable ? stem + Word("e".utf8) : stem
  }

  private static func withVowel(_ stem: Word) -> Word? { stem.hasVowel ? stem : nil }

  private static func step1c(_ word: Word) -> Word {
    apply([("y", "i", { $0.count > 1 && $0.isConsonant($0.count - 1) })], to: word)
  }

  private static func step2(_ word: Word) -> Word {
    if let stem = word.without("alli"), stem.measure > 0 { return step2(stem + Word("al".utf8)) }
    return apply(step2Rules, to: word)
  }

  private static let step2Rules: [Rule] = {
    let plain = [
      ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
      ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
      ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
      ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
    ]
    // The l counts with the stem, so that "geologi" goes the way of "archaeologi".
    let logi: Rule = ("logi", "log", { ($0 + Word("l".utf8)).measure > 0 })
    return plain.map { ($0, $1, hasMeasure) } + [logi]
  }()

  private static func step3(_ word: Word) -> Word { apply(step3Rules, to: word) }

  private static let step3Rules: [Rule] = [
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
  ].map { ($0, $1, hasMeasure) }

  private static func step4(_ word: Word) -> Word { apply(step4Rules, to: word) }

  private static let step4Rules: [Rule] = [
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
  ].map { suffix in
    (suffix, "", { $0.measure > 1 && (suffix != "ion" || $0.last.map("st".utf8.contains) == true) })
  }

  private static func step5a(_ word: Word) -> Word {
    guard let stem = word.without("e") else { return word }
    return stem.measure > 1 || stem.measure == 1 && !stem.endsInShortSyllable ? stem : word
  }

  private static func step5b(_ word: Word) -> Word {
    apply([("ll", "l", { ($0 + Word("l".utf8)).measure > 1 })], to: word)
  }

  // MARK: Rules

  private typealias Rule = (suffix: String, replacement: String, condition: @Sendable (Word) -> Bool)

  private static let always: @Sendable (Word) -> Bool = { _ in true }
  private static let hasMeasure: @Sendable (Word) -> Bool = { $0.measure > 0 }

  /// The first rule whose suffix fits decides, whether its condition holds or not.
  private static func apply(_ rules: [Rule], to word: Word) -> Word {
    for rule in rules {
      guard let stem = word.without(rule.suffix) else { continue }
      return rule.condition(stem) ? stem + Word(rule.replacement.utf8) : word
    }
    return word
  }
}

extension [UInt8] {
  fileprivate func without(_ suffix: String) -> [UInt8]? {
    let suffix = suffix.utf8
    return count >= suffix.count && self.suffix(suffix.count).elementsEqual(suffix)
      ? [UInt8](dropLast(suffix.count)) : nil
  }

  /// "y" is a consonant at the start and after a vowel.
  fileprivate func isConsonant(_ index: Int) -> Bool {
    switch self[index] {
    case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"): return false
    case UInt8(ascii: "y"):
      // A run of them alternates.
      let start = self[..<index].lastIndex { $0 != UInt8(ascii: "y") }
      guard let start else { return index % 2 == 0 }
      return isConsonant(start) == ((index - start) % 2 == 0)
    default: return true
    }
  }

  /// Porter's m: how often a consonant follows a vowel.
  fileprivate var measure: Int {
    indices.dropFirst().count { isConsonant($0) && !isConsonant($0 - 1) }
  }

  fileprivate var hasVowel: Bool { indices.contains { !isConsonant($0) } }

  fileprivate var endsInDoubleConsonant: Bool {
    count >= 2 && self[count - 1] == self[count - 2] && isConsonant(count - 1)
  }

  /// Porter's *o: consonant, vowel, consonant other than w, x and y; in a word of two letters, vowel and consonant.
  fileprivate var endsInShortSyllable: Bool {
    if count == 2 { return !isConsonant(0) && isConsonant(1) }
    return count >= 3 && isConsonant(count - 3) && !isConsonant(count - 2) && isConsonant(count - 1)
      && !"wxy".utf8.contains(self[count - 1])
  }
}
