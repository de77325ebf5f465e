import Foundation
import LacunaEngine
import LacunaTestSupport
import Testing

@Suite struct StatisticsTests {
  static func fixture<Value: Decodable>(_ name: String, _ type: Value.Type = Value.self) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: URL(fileURLWithPath: Fixture.path("tofu/\(name)"))))
  }

  struct KSCase: Decodable {
    let x: [Double]
    let y: [Double]
    let distance: Double
    let p: Double

    enum CodingKeys: String, CodingKey {
      case x, y, p
      case distance = "D"
    }
  }

  // len(zlib.compress(text.encode())) of Python 3.
  @Test(
    "compressed sizes are those of Python's zlib",
    arguments: [
      ("", 8), ("a", 9), ("Which award has Marisol Tannhauer won?", 46), (String(repeating: "ab", count: 500), 18),
      ("Élodie Marchevant — 灯台", 38),
      (String(repeating: "The quick brown fox jumps over the lazy dog. ", count: 20), 61),
    ])
  func zlib(text: String, size: Int) { #expect(Statistics.zlibSize(text) == size) }

  @Test("the KS test agrees with scipy's exact p-values, whatever the sizes and ties")
  func scipy() throws {
    for expected in try Self.fixture("ks.json", [KSCase].self) {
      let found = try TwoSampleKS(expected.x, expected.y)
      #expect(abs(found.distance - expected.distance) < 1e-12)
      #expect(abs(found.p - expected.p) <= 1e-9 * expected.p, "n \(found.n), m \(found.m), k \(found.k): \(found.p)")
      #expect(try TwoSampleKS(expected.y, expected.x).k == found.k)
    }
  }

  /// p = 2 sum over i >= 1 of (-1)^(i-1) C(2n, n - ik) / C(2n, n), for n = m = 3 by hand: C(6, 3) = 20.
  @Test("p is the share of interleavings at least as far apart", arguments: [(1, 1.0), (2, 12.0 / 20), (3, 2.0 / 20)])
  func byHand(k: Int, p: Double) throws {
    let x = [1.0, 2, 3]
    let found = try TwoSampleKS(x, x.enumerated().map { $0 < k ? $1 + 10 : $1 })
    #expect(found.k == k && found.n == 3 && found.m == 3)
    #expect(abs(found.p - p) < 1e-15)
  }

  @Test("disjoint samples have the smallest p there is, however small")
  func disjoint() throws {
    // 2 / C(400, 200), as 50 digits of integer arithmetic give it.
    let found = try TwoSampleKS((0..<200).map(Double.init), (200..<400).map(Double.init))
    #expect(found.distance == 1)
    #expect(abs(found.p - 1.9426434495222363e-119) < 1e-128)
  }

  @Test("samples that cannot be compared are refused")
  func refusals() {
    for (x, y) in [([], [1.0]), ([1.0], []), ([.nan], [1.0])] {
      #expect(throws: LacunaError.self) { try TwoSampleKS(x, y) }
    }
    #expect(throws: LacunaError.self) { try TwoSampleKS([Double](repeating: 0, count: 10_001), [1]) }
  }

  @Test("stems are those of NLTK's default Porter stemmer")
  func stems() throws {
    let table = try Self.fixture("stems.json", [String: String].self)
    #expect(table.count > 150)
    for (word, stem) in table {
      #expect(String(decoding: PorterStemmer.stem(Array(word.utf8)), as: UTF8.self) == stem, "\(word)")
    }
  }

  struct RougeCase: Decodable {
    let target: String
    let prediction: String
    let rouge1: Double
    let rougeL: Double
  }

  @Test("ROUGE recalls are those of rouge_score to the last bit")
  func rouge() throws {
    for expected in try Self.fixture("rouge.json", [RougeCase].self) {
      let found = Rouge(target: expected.target, prediction: expected.prediction)
      #expect(found.rouge1Recall == expected.rouge1, "\(expected.target)")
      #expect(found.rougeLRecall == expected.rougeL, "\(expected.target)")
    }
  }

  @Test("a harmonic mean is 0 with any 0, and undefined for nothing and below 0")
  func harmonicMean() {
    #expect(Statistics.harmonicMean([1, 0.5, 0.25]) == 3.0 / 7)
    #expect(Statistics.harmonicMean([1, 0]) == 0)
    #expect(Statistics.harmonicMean([]).isNaN)
    #expect(Statistics.harmonicMean([1, -1]).isNaN)
  }

  @Test("quantiles lie between ranks")
  func quantiles() {
    #expect(Statistics.quantile([4, 1, 3, 2], 0.5) == 2.5)
    #expect(Statistics.quantile([4, 1, 3, 2], 1) == 4)
    #expect(Statistics.quantile([7], 0.3) == 7)
    #expect(Statistics.quantile([], 0.5).isNaN)
  }

  @Test("AUC counts pairs, ties by half")
  func auc() {
    // Pairs: 3 > 1, 3 > 2, 2 > 1 and the tie 2 = 2.
    #expect(Statistics.auc(positives: [3, 2], negatives: [1, 2]) == 3.5 / 4)
    #expect(Statistics.auc(positives: [1], negatives: [2, 3]) == 0)
    #expect(Statistics.auc(positives: [], negatives: [1]).isNaN)
  }
}
