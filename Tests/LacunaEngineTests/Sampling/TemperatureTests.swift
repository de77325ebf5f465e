import Foundation
import LacunaEngine
import Testing

@Suite("Temperatures")
struct TemperatureTests {
  @Test("a temperature divides every logit", arguments: SampleLogits.few)
  func divides(_ sample: SampleLogits) throws {
    #expect(try filtered("temperature:0.7", sample.values) == sample.values.map { $0 / 0.7 })
    #expect(try filtered("temperature:1", sample.values) == sample.values)
  }

  @Test("temperature 0 leaves the most probable token only", arguments: SampleLogits.all)
  func zero(_ sample: SampleLogits) throws {
    let best = FilterReference(sample.values).order[0]
    #expect(try filtered("temperature:0", sample.values).survivors == [best])
    var chain = try SamplerChain.native("temperature:0 dist", vocabularySize: sample.count)
    #expect(try chain.draw(sample.values) == TokenID(best))
  }

  @Test("the coldest temperature still gives numbers", arguments: SampleLogits.few)
  func cold(_ sample: SampleLogits) throws {
    var chain = try SamplerChain.native("temperature:0.000001 dist", vocabularySize: sample.count)
    let token = Int(try chain.draw(sample.values))
    #expect(sample.values[token] == sample.values[FilterReference(sample.values).order[0]])
  }

  @Test("a dynamic temperature follows the entropy", arguments: SampleLogits.all)
  func dynamic(_ sample: SampleLogits) throws {
    let reference = FilterReference(sample.values)
    let result = try filtered("dynatemp:t=0.9,range=0.6,exponent=1.7", sample.values)
    guard reference.order.count > 1 else {
      #expect(result == sample.values)
      return
    }
    let share = min(1, reference.entropy / log(Double(reference.order.count)))
    let temperature = 0.3 + 1.2 * pow(share, 1.7)
    for id in reference.order {
      let expected = Double(sample.values[id]) / temperature
      #expect(abs(Double(result[id]) - expected) <= 1e-4 * max(1, abs(expected)))
    }
  }
}
