/// The control loop of Mirostat (Basu et al. 2021, algorithm 1): `mu`, the greatest surprise in bits that is let
/// through, follows the difference between the surprise of what was drawn and the target.
struct SurpriseTarget {
  private let tau: Double
  private let eta: Double
  private var history: AcceptedHistory<Double>

  var mu: Double { history.current }

  init(_ parameters: StageParameters) {
    tau = parameters.number("tau")
    eta = parameters.number("eta")
    history = AcceptedHistory(2 * tau)
  }

  /// - Parameter surprise: of the drawn token, in bits, before anything was cut.
  mutating func drew(_ token: TokenID, surprise: Double) { history.drew(token, mu - eta * (surprise - tau)) }
  mutating func accept(_ token: TokenID) { history.accept(token) }
  mutating func rewind(toAccepted count: Int) { history.rewind(toAccepted: count) }

  static let parameters: [StageSchema.Parameter] = [
    .number("tau", 5, 0...100, "the surprise aimed at, in bits a token"),
    .number("eta", 0.1, 0...10, "how fast the loop corrects itself"),
  ]
}
