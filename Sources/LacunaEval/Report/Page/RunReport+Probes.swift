import LacunaEngine

// What plugins' probes found: a section a probe, with its figures, its rows' numbers and its layers.
extension RunReport {
  func section(_ part: ProbePart) -> HTML {
    let plots = part.numberNames.compactMap { numberPlot(part, $0) }
    let maps = part.layerNames.compactMap { layerMap(part, $0) }
    let rows: HTML =
      plots.isEmpty
      ? .empty
      : """
      \(key(Array(Set(part.columns.map(\.column))).sorted()))<div class="plots">\(plots)</div>
      <p class="reading">Of what was recorded of each row: each line climbs from 0 to 100% as rows fall at or below a value. \
      Rows and their numbers are in the table at the end.</p>
      """
    let layers: HTML =
      maps.isEmpty
      ? .empty
      : """
      <div class="plots">\(maps)</div>
      <p class="reading">Means over the rows by layer, where 0 is the embedding: the stronger the colour, the greater the number, \
      from the least to the greatest of the map.</p>
      """
    let isChanged = part.columns.contains(where: \.summary.isOfOtherVersion)
    let note: HTML =
      isChanged ? "<p class=\"reading\">The plugin has changed since these records were made.</p>" : .empty
    return Self.section(
      "probe-\(Self.identifier(part.name))", part.title, "\(summaryTable(part))\(note)\(layers)\(rows)")
  }

  /// Letters and digits of a name, for an element's id.
  private static func identifier(_ name: String) -> String {
    String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
  }

  private func title(_ column: ProbePart.Column) -> String {
    let format = column.summary.series.format
    return columns[column.column].title + (format.isEmpty ? "" : ", \(format)")
  }

  /// A line a figure, a column a model: a probe's figures are its own, and may be many.
  private func summaryTable(_ part: ProbePart) -> HTML {
    let figures = part.columns.map { ProbeTable.figures($0.summary.value) }
    var names: [String] = []
    for column in figures { names += column.map(\.name).filter { !names.contains($0) } }
    let rows = names.map { name -> HTML in
      let cells = figures.map { column in "<td>\(column.first { $0.name == name }?.text ?? "–")</td>" as HTML }
      return "<tr><th scope=\"row\">\(name)</th>\(cells)</tr>"
    }
    let counts = part.columns.map { "<td>\($0.summary.recordCount)</td>" as HTML }
    let head = part.columns.map { column -> HTML in
      "<span class=\"dot \(style(column.column))\"></span>\(title(column))"
    }
    return Self.table(
      "Figures of \(part.title)", head: ["figure"] + head,
      rows: rows + ["<tr><th scope=\"row\">rows</th>\(counts)</tr>"])
  }

  /// Distribution functions of a number over the rows, a line a model; formats of one model share its line's style.
  private func numberPlot(_ part: ProbePart, _ name: String) -> HTML? {
    let distributions = part.columns.map { Distribution($0.values(name)) }
    let values = distributions.flatMap(\.values).filter(\.isFinite)
    // Two values are yes and no: their shares are among the figures.
    guard let least = values.min(), let most = values.max(), Set(values).count > 2 else { return nil }
    let area = Plot.area
    let x = Axis.linear(least...most, from: area.left, to: area.right)
    let y = Axis.share(from: area.bottom, to: area.top)
    var drawn: HTML = .empty
    for (column, distribution) in zip(part.columns, distributions) where !distribution.values.isEmpty {
      drawn += Plot.path(Plot.steps(distribution.values, x, y), style(column.column))
    }
    let plot = Plot(x: x, y: y, xTitle: name, yTitle: "share of rows at or below")
      .svg(title: "\(part.title): shares of rows at or below each \(name)", drawn)
    return "<figure><h3>\(name)</h3>\(plot)</figure>"
  }

  /// Means by layer, a line a model. nil where models have no common number of layers.
  private func layerMap(_ part: ProbePart, _ name: String) -> HTML? {
    let means = part.columns.map { $0.layerMeans(name) }
    let known = means.compactMap(\.self)
    guard let least = known.flatMap(\.self).min(), let most = known.flatMap(\.self).max(), least < most else {
      return nil
    }
    var numbers: [Int] = []
    let lines = zip(part.columns, means).compactMap { column, means -> HeatMap.Line? in
      guard let means else { return nil }
      let layers = column.layerNumbers(count: means.count)
      if layers.count > numbers.count { numbers = layers }
      let cells = zip(layers, means).map { layer, mean in
        (
          style: "k\(min(7, Int((mean - least) / (most - least) * 8)))",
          note: "\(title(column)), layer \(layer): \(decimal(mean, 3))", item: nil as String?
        )
      }
      return HeatMap.Line(name: title(column), cells: cells)
    }
    let map = HeatMap(
      title: "\(part.title): \(name), a line a model, a square a layer", lines: lines, columnNumbers: numbers)
    return "<figure><h3>\(name), \(decimal(least, 3)) to \(decimal(most, 3))</h3>\(map.svg)</figure>"
  }
}
