import LacunaEngine
import LacunaScript

/// `--decoder beam:width=4`: a plugin's decoder over a prompt, run as a script would.
struct DecoderRun {
  private let decoder: StageDescription
  private let maxTokens: Int?

  /// - Parameters:
  ///   - text: NAME or NAME:PARAMETER=VALUE,...
  ///   - maxTokens: nil for the decoder's own default.
  /// - Throws: `invalidArgument` with the column, or where both say how many tokens.
  init(_ text: String, maxTokens: Int?) throws(LacunaError) {
    let stages = try SamplerChain.parse(text)
    guard stages.count == 1 else {
      throw LacunaError(.invalidArgument, "--decoder: expected one decoder, found \(stages.count) in \"\(text)\"")
    }
    decoder = stages[0]
    self.maxTokens = maxTokens
    if maxTokens != nil, decoder.parameters["max_tokens"] != nil {
      throw LacunaError(
        .invalidArgument, "--decoder: expected max_tokens once, found it in \"\(text)\" and in --max-tokens")
    }
  }

  /// Prints the text, or with `json` the whole result.
  func run(_ tokens: [TokenID], environment: ScriptEnvironment, json: Bool) throws {
    var options: [(key: String, value: JSON)] = [("decoder", .string(decoder.name))]
    for (name, value) in decoder.parameters.sorted(by: { $0.key < $1.key }) { options.append((name, JSON(value))) }
    if let maxTokens { options.append(("max_tokens", .integer(maxTokens))) }
    let request: JSON = ["tokens": JSON(tokens), "options": .object(options), "json": .bool(json)]
    try ScriptSupport.run(own: Self.source, named: "decoder", request, environment: environment)
  }

  private static let source = """
    local lacuna <const> = require "lacuna"
    local request <const> = assert(lacuna.json.decode(arg[1]))
    local model <const> = assert(lacuna.model())
    local session <close> = model:session { tokens = request.tokens }
    local result = session:generate(request.options)
    lacuna.write(request.json and lacuna.json.encode(result) or result.text, "\\n")
    """
}

extension JSON {
  fileprivate init(_ value: StageDescription.Value) {
    switch value {
    case .number(let number): self = Int(exactly: number).map(JSON.integer) ?? .number(number)
    case .bool(let flag): self = .bool(flag)
    case .text(let text): self = .string(text)
    case .numbers(let numbers): self = .array(numbers.map(JSON.number))
    case .texts(let texts): self = .array(texts.map(JSON.string))
    case .biases(let biases): self = .object(biases.map { ("\($0.key)", .float($0.value)) })
    }
  }
}
