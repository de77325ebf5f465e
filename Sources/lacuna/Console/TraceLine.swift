import LacunaEngine
import LacunaScript

/// A step of a generation as `lacuna run --trace` prints it.
struct TraceLine: CustomStringConvertible {
  let step: TracedStep

  /// `    3  " Marisol"         1234   -0.012    14.2 ms  input 512 0.41 > top_p 3 0.40 > dist`.
  var description: String {
    var parts: [String] = []
    if let number = step.number {
      parts = [
        "\(number)".aligned(5), JSON.string(step.piece).text.padded(18), "\(step.token)".aligned(6),
        fixed(Double(step.logProbability), 3).aligned(8), "\(fixed(step.milliseconds, 1)) ms".aligned(10),
        step.stages.isEmpty ? "forced" : stages,
      ]
    }
    if step.takenBack > 0 { parts.append("\(step.takenBack) taken back") }
    if let finish = step.finish { parts.append("(\(finish.rawValue))") }
    return parts.joined(separator: "  ")
  }

  /// Survivors and entropy in nats behind each stage; the selector by its name.
  private var stages: String {
    step.stages.enumerated().map { index, report in
      index + 1 == step.stages.count ? report.name : "\(report.name) \(report.survivors) \(fixed(report.entropy, 2))"
    }.joined(separator: " > ")
  }
}
