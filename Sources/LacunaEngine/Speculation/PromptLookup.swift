/// Guesses by looking for the end of the text further up and copying what followed there: prompt-lookup decoding
/// (Saxena 2023; LLMA, Yang et al. 2023). Good where a text repeats its prompt: summaries, edits, lists, code.
package struct PromptLookup: Sendable {
  /// How many of the last tokens must have occurred before, in this order.
  package let matchLength: Int

  /// A match of so many tokens is as good as any.
  private static let longestMatch = 16
  /// From here on a match is unlikely to be chance.
  private static let longMatch = 6

  package init(matchLength: Int) { self.matchLength = matchLength }

  package struct Match: Sendable {
    /// How well the end of the text matched.
    package let kind: SpeculationPlanner.Kind
    /// How many tokens there are up to the end of the earlier occurrence.
    fileprivate let end: Int
  }

  /// The longest match of the text's end, the latest of equally long ones; nil where there is none.
  package func match(_ tokens: [TokenID]) -> Match? {
    longestMatch(tokens).map {
      Match(kind: $0.length >= max(Self.longMatch, matchLength) ? .longMatch : .shortMatch, end: $0.end)
    }
  }

  /// What followed the match. The copy may run on into itself, as it does where a text repeats a short piece again and
  /// again.
  package func guesses(_ match: Match, in tokens: [TokenID], limit: Int) -> [TokenID] {
    var guesses: [TokenID] = []
    for index in match.end..<match.end + limit {
      guesses.append(index < tokens.count ? tokens[index] : guesses[index - tokens.count])
    }
    return guesses
  }

  private func longestMatch(_ tokens: [TokenID]) -> (end: Int, length: Int)? {
    guard tokens.count > matchLength else { return nil }
    return tokens.withUnsafeBufferPointer { tokens in
      let last = tokens.count - 1
      var best = (end: 0, length: matchLength - 1)
      for place in stride(from: last - 1, through: matchLength - 1, by: -1) where tokens[place] == tokens[last] {
        let reach = min(Self.longestMatch, place + 1)
        var length = 1
        while length < reach, tokens[place - length] == tokens[last - length] { length += 1 }
        if length > best.length { best = (end: place + 1, length: length) }
        if length == Self.longestMatch { break }
      }
      return best.length >= matchLength ? best : nil
    }
  }
}
