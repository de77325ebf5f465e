/// The state of a selector after each accepted token, so that it can go back to any of them.
struct AcceptedHistory<State: Sendable>: Sendable {
  /// After n accepted tokens; the last is the current one.
  private var states: [State]
  private var drawn: (token: TokenID, next: State)?

  var current: State { states[states.count - 1] }

  init(_ first: State) {
    states = [first]
    states.reserveCapacity(4096)
  }

  /// - Parameter next: the state if this token is accepted.
  mutating func drew(_ token: TokenID, _ next: State) { drawn = (token: token, next: next) }

  /// A token that the selector did not draw (a script replaced it) says nothing about it and leaves the state as it is.
  mutating func accept(_ token: TokenID) {
    if let drawn, drawn.token == token { states.append(drawn.next) } else { states.append(current) }
    drawn = nil
  }

  mutating func rewind(toAccepted count: Int) {
    states.removeLast(states.count - 1 - count)
    drawn = nil
  }
}
