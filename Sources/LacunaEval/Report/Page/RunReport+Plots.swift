import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension RunReport {
  /// The class that gives a column its colour and its kind of line.
  func style(_ column: Int) -> String {
    switch columns[column].role {
    case .original: "original"
    case .reference: "retrained"
    case .model: "judged\((judged.firstIndex(of: column) ?? 0) % 5)"
    }
  }

  /// Names beside samples of the lines.
  func key(_ shown: [Int]) -> HTML {
    let entries = shown.map { column -> HTML in
      """
      <li><svg viewBox="0 0 26 8" aria-hidden="true"><path class="line \(style(column))" d="M0 4L26 4"/></svg>\
      \(columns[column].title)</li>
      """
    }
    return "<ul class=\"key\">\(entries)</ul>"
  }

  // MARK: Truth ratios

  /// Empirical distribution functions of the truth ratios, with D between what is judged and its reference.
  func truthRatioPlot() -> HTML? {
    let shown = columns.indices.filter { columns[$0].log.tasks[.forget] != nil }
    guard !shown.isEmpty else { return nil }
    let distributions = Dictionary(
      uniqueKeysWithValues: shown.map { ($0, Distribution(Array(truthRatios($0).values))) })
    let area = Plot.area
    let x =
      scoring.truthRatio == .probMean
      ? Axis.share(from: area.left, to: area.right)
      : Axis.decades(of: distributions.values.flatMap(\.values), from: area.left, to: area.right)
    let y = Axis.share(from: area.bottom, to: area.top)
    var drawn: HTML = .empty
    if x.kind == .logarithmic {
      drawn +=
        "<line class=\"even\" x1=\"\(at: x.place(1))\" x2=\"\(at: x.place(1))\" y1=\"\(at: area.top)\" y2=\"\(at: area.bottom)\"/>"
    }
    for column in shown {
      drawn += Plot.path(Plot.steps(distributions[column]?.values ?? [], x, y), style(column))
    }
    for column in judged { drawn += gap(column, distributions, x, y) }
    let title = "Shares of rows at or below each truth ratio, a line a model"
    return Plot(x: x, y: y, xTitle: truthRatioTitle, yTitle: "share of rows at or below").svg(
      title: title, drawn)
  }

  var truthRatioTitle: String {
    switch scoring.truthRatio {
    case .probMean: "share of the right answer's probability"
    case _ where scoring.profile.epsilon > 0: "truth ratio, wrong over right"
    default: "truth ratio R, right over wrong"
    }
  }

  /// A bracket at the widest gap.
  private func gap(_ column: Int, _ distributions: [Int: Distribution], _ x: Axis, _ y: Axis)
    -> HTML
  {
    guard let reference = columns[column].reference, let mine = distributions[column],
      let other = distributions[reference], let gap = mine.widestGap(to: other),
      gap.share != gap.otherShare,
      let test = columns[column].figures.forgetQuality
    else { return .empty }
    let place = x.place(gap.at)
    let (a, b) = (y.place(gap.share), y.place(gap.otherShare))
    let isRight = place < Plot.area.right - 70
    return """
      <path class="gap \(style(column))" d="M\(at: place - 4) \(at: a)H\(at: place + 4)M\(at: place) \(at: a)V\(at: b)\
      M\(at: place - 4) \(at: b)H\(at: place + 4)"/>\
      <text class="mark \(style(column))" x="\(at: isRight ? place + 7 : place - 7)" y="\(at: (a + b) / 2 + 4)" \
      text-anchor="\(isRight ? "start" : "end")">D = \(decimal(test.distance, 3))</text>
      """
  }

  // MARK: Losses

  /// How the losses of a task's true answers are spread.
  func lossPlot(_ task: TOFUTask) -> HTML? {
    let shown = columns.indices.filter { columns[$0].log.tasks[task] != nil }
    guard !shown.isEmpty else { return nil }
    let area = Plot.area
    // Fifths of a decade.
    let edges = (0...23).map { pow(10, -3 + Double($0) / 5) }
    let shares = shown.map { column in
      Distribution((columns[column].log.tasks[task] ?? []).map(\.answer.average)).histogram(
        edges: edges)
    }
    let highest = max(0.1, ((shares.flatMap(\.self).max() ?? 1) * 10).rounded(.up) / 10)
    let x = Axis(
      kind: .logarithmic, range: edges[0]...edges[23], places: (area.left, area.right),
      ticks: [(0.001, "≤0.001"), (0.01, "0.01"), (0.1, "0.1"), (1, "1"), (10, "10")])
    let y = Axis(
      kind: .linear, range: 0...highest, places: (area.bottom, area.top),
      ticks: [0, highest / 2, highest].map { ($0, "\(Int(($0 * 100).rounded()))%") })
    var drawn: HTML = .empty
    for (column, shares) in zip(shown, shares) {
      var points = [(x: x.places.from, y: y.place(0))]
      for (bin, share) in shares.enumerated() {
        points.append((x.place(edges[bin]), y.place(share)))
        points.append((x.place(edges[bin + 1]), y.place(share)))
      }
      points.append((x.places.to, y.place(0)))
      drawn += Plot.path(points, style(column))
    }
    return Plot(
      x: x, y: y, xTitle: "loss of the true answer, nats a token", yTitle: "share of rows"
    )
    .svg(title: "Losses of the true answers, \(task.title), a line a model", drawn)
  }
}
