public import LacunaEngine

/// One step of a generation, for people who watch.
public struct TracedStep: Sendable {
  /// Of the token in its generation, from 1; nil for a step that gave none.
  public let number: Int?
  public let token: TokenID
  public let piece: String
  /// Under the model's own logits, in nats.
  public let logProbability: Float
  /// The pass and the draw, without the work of tracing.
  public let milliseconds: Double
  /// What each stage of the chain left over, "input" first and the selector last; empty where nothing was drawn because
  /// a grammar left one token.
  public let stages: [SamplerChain.StageReport]
  public let takenBack: Int
  public let finish: Generation.Finish?
}

/// Watches one generation.
final class TokenTrace {
  private let report: (TracedStep) -> Void
  private let tokenizer: (any Tokenizer)?
  private var count = 0
  /// Of the draw that is under way.
  private var stages: [SamplerChain.StageReport] = []
  private var explaining = Duration.zero
  private var start = ContinuousClock.now

  init(_ engine: Engine, report: @escaping (TracedStep) -> Void) {
    tokenizer = engine.tokenizer
    self.report = report
  }

  func attach(to options: inout Generation.Options) {
    options.onDraw = { [self] logits, chain, context in
      let begin = ContinuousClock.now
      stages = try chain.explain(logits, context, top: 0)
      explaining = begin.duration(to: .now)
    }
  }

  /// To be called before each step of the generation.
  func begin() {
    stages = []
    explaining = .zero
    start = .now
  }

  /// To be called with what the step gave.
  func end(_ event: Generation.Event) {
    let milliseconds = (start.duration(to: .now) - explaining) / .milliseconds(1)
    count += event.token == nil ? -min(event.takenBack, count) : 1
    report(
      TracedStep(
        number: event.token == nil ? nil : count, token: event.token ?? 0,
        piece: event.token.flatMap { tokenizer?.piece($0) } ?? "", logProbability: event.logProbability,
        milliseconds: milliseconds, stages: stages, takenBack: event.takenBack, finish: event.finish))
  }
}
