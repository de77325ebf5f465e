#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The page's one scale of colours: how well something is known, by its loss in nats. The stronger the colour, the surer the
/// model; what is unknown has none. Limits double, so that a step is a step from certain to impossible alike.
enum KnowledgeScale {
  /// Upper limits of the loss of all steps but the weakest, strongest first.
  static let limits = [0.1, 0.25, 0.5, 1, 2, 4, 8]

  /// 7 for what is known by heart ... 0 for what is not known.
  static func step(loss: Double) -> Int {
    limits.count - (limits.firstIndex { loss <= $0 } ?? limits.count)
  }

  /// -4...4: how much more (positive) or less a model knows than another, by the difference of its loss to the other's.
  static func difference(_ excess: Double) -> Int {
    let size = [0.1, 0.5, 1.0, 2.0].count { abs(excess) > $0 }
    return excess > 0 ? -size : size
  }

  /// - Parameter soft: of the steps behind text.
  static func legend(soft: Bool = false) -> HTML {
    let labels =
      ["p ≥ \(percent(limits[0]))"] + limits.dropFirst().map { "≥ \(percent($0))" } + ["less"]
    let steps = labels.enumerated().map { index, label in
      "<li><span class=\"swatch k\(limits.count - index)\"></span>\(label)</li>" as HTML
    }
    return "<ul class=\"legend\(soft ? " soft" : "")\" aria-label=\"Colours of probabilities\">\(steps)</ul>"
  }

  static var differenceLegend: HTML {
    let labels = [
      "2 nats more surprised", "1", "0.5", "0.1", "the same", "0.1", "0.5", "1",
      "2 nats less surprised",
    ]
    let steps = labels.enumerated().map { index, label in
      "<li><span class=\"swatch d\(index)\"></span>\(label)</li>" as HTML
    }
    return "<ul class=\"legend\" aria-label=\"Colours of differences\">\(steps)</ul>"
  }

  private static func percent(_ loss: Double) -> String {
    let share = 100 * exp(-loss)
    return share < 1 ? "\(decimal(share, 2))%" : "\(Int(share.rounded()))%"
  }
}
