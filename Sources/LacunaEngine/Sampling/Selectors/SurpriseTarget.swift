/// The control loop of Mirostat (Basu et al. 2021, algorithm 1): `mu`, the greatest surprise in bits that is let
/// through, follows the difference between the surprise of what was drawn and the target.
struct SurpriseTarget {
  private let tau: Double
  private let eta: Double
  /// mu after n accepted tokens; the last is the current one.
  private var history: [Double]
  private var drawn: (token: TokenID, surprise: Double)?

  var mu: Double { history[history.count - 1] }

  init(_ parameters: StageParameters) {
    tau = parameters.number("tau")
    eta = parameters.number("eta")
    history = [2 * tau]
    history.reserveCapacity(4096)
  }

  /// - Parameter surprise: of the drawn token, in bits, before anything was cut.
  mutating func drew(_ token: TokenID, surprise: Double) { drawn = (token: token, surprise: surprise) }

  /// A token that this loop did not draw (a script replaced it) says nothing about it and leaves mu as it is.
  mutating func accept(_ token: TokenID) {
    var next = mu
    if let drawn, drawn.token == token { next -= eta * (drawn.surprise - tau) }
    history.append(next)
    drawn = nil
  }

  mutating func rewind(toAccepted count: Int) {
    history.removeLast(history.count - 1 - count)
    drawn = nil
  }

  static let parameters: [StageSchema.Parameter] = [
    .number("tau", 5, 0...100, "the surprise aimed at, in bits a token"),
    .number("eta", 0.1, 0...10, "how fast the loop corrects itself"),
  ]
}
