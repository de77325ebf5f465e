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

  /// What followed the longest match, the latest of equally long ones; empty where there is none. The copy may run on
  /// into itself, as it does where a text repeats a short piece again and again.
  package func guesses(after tokens: [TokenID], limit: Int) -> [TokenID] {
    guard let match = longestMatch(tokens) else { return [] }
    var guesses: [TokenID] = []
    for index in match.end..<match.end + limit {
      guesses.append(index < tokens.count ? tokens[index] : guesses[index - tokens.count])
    }
    return guesses
  }

  /// How well the end of the text matched; nil where it did not.
  package func kind(of tokens: [TokenID]) -> SpeculationPlanner.Kind? {
    longestMatch(tokens).map { $0.length >= max(Self.longMatch, matchLength) ? .longMatch : .shortMatch }
  }

  /// `end`: how many tokens there are up to the end of the earlier occurrence.
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
