import LacunaEngine
import Testing

@Suite("Building a chain")
struct ChainBuildTests {
  private func refusal(_ text: String) -> String {
    do {
      _ = try SamplerChain.native(text, vocabularySize: 100)
      return ""
    } catch let error as LacunaError {
      return error.code == .invalidArgument ? error.message : "\(error.code)"
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "a chain that cannot run is refused, and the message says what to mend",
    arguments: [
      ("", ["no selector", "dist", "empty"]),
      ("top_k:40", ["no selector", "greedy", "\"top_k\""]),
      ("dist top_k:40", ["stage 2", "\"top_k\"", "selector \"dist\""]),
      ("dist greedy", ["stage 2", "\"greedy\"", "selector \"dist\""]),
      ("tempertaure:t=1 dist", ["\"tempertaure\"", "did you mean \"temperature\""]),
      ("top-k:k=1 dist", ["did you mean \"top_k\""]),
      ("repetition_penalty dist", ["did you mean \"penalties\""]),
      ("typical-p dist", ["did you mean \"typical\""]),
      ("mirostat_v1", ["did you mean \"mirostat\""]),
      ("distt", ["did you mean \"dist\""]),
      ("top_k:n=40 dist", ["\"top_k\"", "no parameter \"n\"", "takes k"]),
      ("penalties:repetiton=1.1 dist", ["did you mean \"repetition\""]),
      ("greedy:t=1", ["\"greedy\"", "no parameter \"t\"", "takes none"]),
      ("top_p:1.5 dist", ["\"top_p\"", "\"p\"", "0...1", "1.5"]),
      ("temperature:-1 dist", ["\"t\"", "0...100", "found -1"]),
      ("top_k:2.5 dist", ["\"k\"", "a whole number", "2.5"]),
      ("top_k:true dist", ["\"k\"", "found true"]),
      ("penalties:prompt=1 dist", ["\"prompt\"", "true or false", "found 1"]),
      ("top_p:\"x\" dist", ["\"p\"", "found \"x\""]),
      ("logit_bias:100=1 dist", ["0..<100", "found 100"]),
      ("logit_bias:1=inf dist", ["\"bias\"", "-inf"]),
    ])
  func refusals(_ text: String, _ parts: [String]) {
    let message = refusal(text)
    for part in parts { #expect(message.contains(part), "\(message)") }
  }

  @Test("a name far from every stage gets no guess")
  func noGuess() {
    #expect(refusal("quantum_flux_filter dist").contains("no such stage"))
    #expect(!refusal("quantum_flux_filter dist").contains("did you mean"))
  }

  @Test("every stage runs with its defaults, and describes itself", arguments: SamplerChain.catalogue)
  func catalogue(_ schema: StageSchema) throws {
    #expect(!schema.meaning.isEmpty && !schema.meaning.hasSuffix("."))
    for parameter in schema.parameters {
      #expect(!parameter.meaning.isEmpty)
      #expect(parameter.accept(parameter.defaultValue) == parameter.defaultValue, "\(parameter.name)")
      // Both ends of an interval are allowed.
      for end in [parameter.interval.lowerBound, parameter.interval.upperBound] {
        guard parameter.kind == .number || parameter.kind == .integer else { continue }
        let stage = StageDescription(schema.name, [parameter.name: .number(end)])
        let chain = schema.isSelector ? [stage] : [stage, StageDescription("dist")]
        var built = try SamplerChain(chain, vocabularySize: 40)
        let logits = SampleLogits(.usual, 40, seed: 2).values
        let token = try built.draw(logits, tokens: [1, 2, 3, 1, 2, 3, 1, 2])
        #expect((0..<40).contains(token), "\(parameter.name)=\(end)")
      }
    }
  }

  @Test("stage names are distinct, and selectors come last")
  func catalogueOrder() {
    let names = SamplerChain.catalogue.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(
      SamplerChain.catalogue.filter(\.isSelector).map(\.name) == [
        "greedy", "dist", "mirostat", "mirostat_v2", "adaptive_p",
      ])
    #expect(Array(names.suffix(5)) == ["greedy", "dist", "mirostat", "mirostat_v2", "adaptive_p"])
  }

  @Test("logits that are not numbers are refused by token and stage")
  func notFinite() throws {
    var chain = try SamplerChain.native("top_k:3 dist", vocabularySize: 20)
    for bad in [Float.nan, .infinity] {
      var logits = [Float](repeating: 0, count: 20)
      logits[17] = bad
      let error = #expect(throws: LacunaError.self) { try chain.draw(logits) }
      #expect(error?.code == .notFinite && error?.message.contains("token 17") == true)
    }
    let error = #expect(throws: LacunaError.self) { try chain.draw([Float](repeating: -.infinity, count: 20)) }
    #expect(error?.code == .notFinite && error?.message.contains("every token is masked") == true)
    var banned = try SamplerChain.native("top_k:1 logit_bias:4=-inf dist", vocabularySize: 20)
    var logits = [Float](repeating: 0, count: 20)
    logits[4] = 1
    let empty = #expect(throws: LacunaError.self) { try banned.draw(logits) }
    #expect(empty?.message.contains("\"logit_bias\"") == true)
  }

  @Test("a script's stage is held to the same rules")
  func externalStages() throws {
    final class Careless: SamplerChain.ExternalStage {
      let isSelector: Bool
      init(isSelector: Bool) { self.isSelector = isSelector }
      func apply(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) { logits[2] = .nan }
      func pick(_ logits: UnsafeMutableBufferPointer<Float>, _ context: SamplingContext) -> TokenID { 9 }
      func accept(_ token: TokenID) {}
      func fork() -> any SamplerChain.ExternalStage { self }
      func rewind(toAccepted count: Int) {}
    }
    var filter = try SamplerChain(
      [.external(name: "mine/careless", Careless(isSelector: false)), .native(StageDescription("dist"))],
      vocabularySize: 4)
    let error = #expect(throws: LacunaError.self) { try filter.draw([0, 0, 0, 0]) }
    #expect(error?.message.contains("\"mine/careless\"") == true && error?.message.contains("token 2") == true)
    var selector = try SamplerChain([.external(name: "mine/pick", Careless(isSelector: true))], vocabularySize: 4)
    let outside = #expect(throws: LacunaError.self) { try selector.draw([0, 0, 0, 0]) }
    #expect(outside?.message.contains("0..<4") == true && outside?.message.contains("found 9") == true)
    #expect(throws: LacunaError.self) {
      try SamplerChain(
        [.external(name: "mine/pick", Careless(isSelector: true)), .native(StageDescription("dist"))],
        vocabularySize: 4)
    }
  }

  @Test("the chain for those who wrote none")
  func defaults() throws {
    #expect(SamplerChain.default(temperature: 0) == [StageDescription("greedy")])
    #expect(
      SamplerChain.default(temperature: 0.7, topK: 50, topP: nil, minP: 0.1, repetition: 1.1).map(\.name)
        == ["penalties", "top_k", "min_p", "temperature", "dist"])
    for temperature in [0, 0.5] {
      var chain = try SamplerChain(SamplerChain.default(temperature: temperature), vocabularySize: 8)
      #expect(try chain.draw([0, 0, 0, 99, 0, 0, 0, 0]) == 3)
    }
  }
}
