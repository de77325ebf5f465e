import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension RunReport {
  /// For a terminal: the figures as a table, the distributions as small drawings.
  public var text: String {
    var parts: [String] = []
    if hasTOFU { parts.append(TOFUComparison.table(columns.map(\.figures), titles: columns.map(\.title), scoring)) }
    if !published.isEmpty {
      let rows = published.map {
        "  \(padded($0.method, Self.nameWidth - 2)) p \($0.forgetQuality)   utility \($0.modelUtility)"
      }
      parts.append((["published (\(PublishedTOFU.source))"] + rows).joined(separator: "\n"))
    }
    if let drawing = truthRatioDrawing { parts.append(drawing) }
    parts += Self.taskOrder.compactMap(lossDrawing)
    if !probes.isEmpty { parts.append(ProbeTable.text(probes.flatMap { $0.columns.map(\.summary) })) }
    if !findings.isEmpty { parts.append(findings.map { "- \($0)" }.joined(separator: "\n")) }
    if !notes.isEmpty { parts.append(RunResult.text(notes)) }
    return parts.joined(separator: "\n\n")
  }

  private static let nameWidth = 24
  private static let drawingWidth = 48
  private static let blocks = Array(" ▁▂▃▄▅▆▇█")

  /// Distribution functions of the truth ratios, a line of rising blocks a model.
  private var truthRatioDrawing: String? {
    let shown = columns.indices.filter { columns[$0].log.tasks[.forget] != nil }
    guard !shown.isEmpty else { return nil }
    let distributions = shown.map { Distribution(Array(truthRatios($0).values)) }
    let end = Double(Self.drawingWidth - 1)
    let axis =
      scoring.truthRatio == .probMean
      ? Axis.share(from: 0, to: end)
      : Axis.decades(of: distributions.flatMap(\.values), from: 0, to: end)
    var lines = ["\(truthRatioTitle): the share of rows at or below it"]
    for (column, distribution) in zip(shown, distributions) {
      let heights = (0..<Self.drawingWidth).map { place in
        distribution.values.count { axis.place($0) < Double(place) + 0.5 }
      }
      let shares = heights.map { Double($0) / Double(max(distribution.values.count, 1)) }
      var line = padded(columns[column].title, Self.nameWidth) + Self.bars(shares)
      if columns[column].role == .model, let test = columns[column].figures.forgetQuality {
        line += "  D \(decimal(test.distance, 3))"
      }
      lines.append(line)
    }
    return (lines + [Self.scale(axis)]).joined(separator: "\n")
  }

  /// Histograms of a task's losses, a line of blocks a model.
  private func lossDrawing(_ task: TOFUTask) -> String? {
    let shown = columns.indices.filter { columns[$0].log.tasks[task] != nil }
    guard !shown.isEmpty else { return nil }
    let axis = Axis(
      kind: .logarithmic, range: 0.001...100, places: (0, Double(Self.drawingWidth)),
      ticks: [(0.001, "0.001"), (0.01, "0.01"), (0.1, "0.1"), (1, "1"), (10, "10")])
    var lines = ["\(task.title): losses of the true answers, nats a token"]
    for column in shown {
      let losses = (columns[column].log.tasks[task] ?? []).map(\.answer.average)
      var counts = [Int](repeating: 0, count: Self.drawingWidth)
      for loss in losses { counts[min(Int(axis.place(loss)), counts.count - 1)] += 1 }
      let most = Double(counts.max() ?? 1)
      let median = decimal(Distribution(losses).quantile(0.5), 3)
      lines.append(
        padded(columns[column].title, Self.nameWidth) + Self.bars(counts.map { Double($0) / most })
          + "  median \(median)")
    }
    return (lines + [Self.scale(axis)]).joined(separator: "\n")
  }

  /// What is above nothing is drawn, however small.
  private static func bars(_ shares: [Double]) -> String {
    String(shares.map { $0 > 0 ? blocks[max(1, min(8, Int(($0 * 8).rounded())))] : blocks[0] })
  }

  private static func scale(_ axis: Axis) -> String {
    var line = Array(repeating: Character(" "), count: nameWidth + drawingWidth + 4)
    for tick in axis.ticks {
      for (offset, character) in tick.label.enumerated() {
        line[nameWidth + Int(axis.place(tick.value)) + offset] = character
      }
    }
    while line.last == " " { line.removeLast() }
    return String(line)
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text.count < width
      ? text + String(repeating: " ", count: width - text.count) : text.prefix(width - 2) + "… "
  }
}
