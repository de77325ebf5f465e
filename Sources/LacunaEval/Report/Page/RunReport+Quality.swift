import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension RunReport {
  /// What papers draw: how well each model forgot against what it is still good for. nil where only one of them is known.
  func qualityPlot() -> HTML? {
    let points = columns.indices.compactMap { index -> (column: Int, quality: Double, utility: Double)? in
      let figures = columns[index].figures
      guard let quality = figures.forgetQuality?.p, let utility = figures.figures.modelUtility else { return nil }
      return (index, quality, utility)
    }
    guard points.count > 1 else { return nil }
    let area = Plot.area
    let least = points.map { log10(max($0.quality, 1e-300)) }.min() ?? 0
    let x = Self.powers(from: min(-4, least.rounded(.down)), area.left + 6, area.right - 6)
    // Published ones without a digit that is not 0 have no place on a logarithmic axis.
    let others = published.compactMap { row -> (quality: Double, utility: Double)? in
      guard let quality = Double(row.forgetQuality), quality > 0, let utility = Double(row.modelUtility) else {
        return nil
      }
      return (quality, utility)
    }
    let y = Axis.share(from: area.bottom, to: area.top)
    let threshold = x.place(0.05)
    var drawn: HTML = """
      <line class="even" x1="\(at: threshold)" x2="\(at: threshold)" y1="\(at: area.top)" y2="\(at: area.bottom)"/>
      """
    for point in others {
      let (left, top) = (x.place(point.quality) - 4, y.place(point.utility) - 4)
      drawn += "<rect class=\"point published\" x=\"\(at: left)\" y=\"\(at: top)\" width=\"8\" height=\"8\"/>"
    }
    for point in points {
      drawn += """
        <circle class="point \(style(point.column))" cx="\(at: x.place(point.quality))" cy="\(at: y.place(point.utility))" \
        r="5"><title>\(columns[point.column].title)</title></circle>
        """
    }
    return Plot(x: x, y: y, xTitle: "forget quality p", yTitle: "model utility")
      .svg(title: "Model utility against forget quality, a point a model", drawn)
  }

  /// Powers of ten up to 1, some five of them named.
  private static func powers(from least: Double, _ from: Double, _ to: Double) -> Axis {
    let step = max(1, (-least / 5).rounded(.up))
    let ticks = stride(from: 0, through: least, by: -step).map { exponent in
      (value: pow(10, exponent), label: exponent == 0 ? "1" : "1e\(Int(exponent))")
    }
    return Axis(kind: .logarithmic, range: pow(10, least)...1, places: (from, to), ticks: ticks)
  }
}
