/// ROUGE-1 and ROUGE-L (Lin 2004) of a text against a reference, as the Python package rouge_score 0.1.2 counts them
/// with its stemmer on.
public struct Rouge: Sendable, Equatable {
  public let targetCount: Int
  /// Words that both have, each as often as the one that has it less often.
  public let overlap: Int
  /// The longest common subsequence of words.
  public let commonLength: Int

  public var rouge1Recall: Double { targetCount == 0 ? 0 : Double(overlap) / Double(targetCount) }
  public var rougeLRecall: Double { targetCount == 0 ? 0 : Double(commonLength) / Double(targetCount) }

  /// - Parameters:
  ///   - target: the reference.
  ///   - prediction: what is judged.
  public init(target: String, prediction: String) {
    var numbers: [[UInt8]: Int] = [:]
    func numbered(_ text: String) -> [Int] {
      Self.words(of: text).map { word in
        let next = numbers.count
        let number = numbers[word] ?? next
        numbers[word] = number
        return number
      }
    }
    let (target, prediction) = (numbered(target), numbered(prediction))
    targetCount = target.count
    var left = [Int](repeating: 0, count: numbers.count)
    for word in target { left[word] += 1 }
    var overlap = 0
    for word in prediction where left[word] > 0 {
      left[word] -= 1
      overlap += 1
    }
    self.overlap = overlap
    commonLength = Self.commonLength(target, prediction)
  }

  /// Lower case; every run of anything but a-z and 0-9 separates; words of more than three characters are stemmed.
  public static func words(of text: String) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var word: [UInt8] = []
    func end() {
      if !word.isEmpty { words.append(word.count > 3 ? PorterStemmer.stem(word) : word) }
      word.removeAll(keepingCapacity: true)
    }
    for scalar in text.unicodeScalars {
      // A scalar's lower case may be several: U+0130 is "i" and a dot above, which separates.
      for lower in scalar.properties.lowercaseMapping.unicodeScalars {
        switch lower {
        case "a"..."z", "0"..."9": word.append(UInt8(lower.value))
        default: end()
        }
      }
    }
    end()
    return words
  }

  private static func commonLength(_ a: [Int], _ b: [Int]) -> Int {
    // row[j]: the longest common subsequence of the words of `a` so far and the first j of `b`.
    var row = [Int](repeating: 0, count: b.count + 1)
    for x in a {
      var diagonal = 0
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = x == y ? diagonal + 1 : max(above, row[j])
        diagonal = above
      }
    }
    return row[b.count]
  }
}
