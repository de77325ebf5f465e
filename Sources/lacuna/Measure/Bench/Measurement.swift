import LacunaEngine

/// A figure that the bench takes once a round.
protocol Measurement: AnyObject {
  /// What `--only` names: "decode-512".
  var name: String { get }
  /// What a person reads: "decode, context 512".
  var title: String { get }
  var unit: MeasuredUnit { get }
  var bound: Bound { get }
  /// Seconds that one unit took: a token, a fork, a draw. Bytes or a ratio where those are the unit.
  func sample() throws -> Double
}

/// What is counted, and how it is shown.
enum MeasuredUnit {
  case tokens
  case seconds
  case bytes
  /// One time over another.
  case times

  /// "5.81 tokens/s", "41.3 µs".
  func text(_ seconds: Double) -> String {
    switch self {
    case .bytes: formatBytes(Int(min(max(seconds, 0), 1e18)))
    case .times: "\(significant(seconds, 3)) times"
    case .tokens: "\(significant(1 / seconds, 3)) tokens/s"
    case .seconds where seconds < 1e-3: "\(significant(seconds * 1e6, 3)) µs"
    case .seconds where seconds < 1: "\(significant(seconds * 1e3, 3)) ms"
    case .seconds: "\(significant(seconds, 3)) s"
    }
  }

  /// The same as a number: tokens a second, seconds, bytes.
  func value(_ seconds: Double) -> Double { self == .tokens ? 1 / seconds : seconds }

  var name: String {
    switch self {
    case .tokens: "tokens/s"
    case .seconds: "s"
    case .bytes: "B"
    case .times: "times"
    }
  }
}

/// What a figure is held against.
enum Bound {
  /// What one unit must read and calculate. The limit is whichever takes this machine longer.
  case work(bytes: Double, operations: Double)
  /// What we allow ourselves, in seconds or times, where the machine sets no limit worth naming.
  case budget(Double)
}

/// Wall-clock seconds that `body` takes, never 0.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  return seconds(since: start)
}

/// Wall-clock seconds, never 0.
func seconds(since start: ContinuousClock.Instant) -> Double {
  let (whole, part) = (ContinuousClock.now - start).components
  return max(Double(whole) + Double(part) * 1e-18, 1e-9)
}
