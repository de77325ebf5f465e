/// The frame of a drawing with two axes, in units that are pixels when it is drawn at its own size.
struct Plot: Sendable {
  static let width = 360.0
  static let height = 240.0
  /// Where the inner area begins and ends.
  static let area = (left: 42.0, right: 342.0, top: 10.0, bottom: 200.0)

  let x: Axis
  let y: Axis
  let xTitle: String
  let yTitle: String

  /// - Parameter content: drawn over the grid.
  func svg(title: String, _ content: HTML) -> HTML {
    let area = Self.area
    var grid: HTML = .empty
    for tick in x.ticks {
      let place = x.place(tick.value)
      grid += """
        <line class="grid" x1="\(at: place)" x2="\(at: place)" y1="\(at: area.top)" y2="\(at: area.bottom)"/>\
        <text x="\(at: place)" y="\(at: area.bottom + 14)" text-anchor="middle">\(tick.label)</text>
        """
    }
    for tick in y.ticks {
      let place = y.place(tick.value)
      grid += """
        <line class="grid" x1="\(at: area.left)" x2="\(at: area.right)" y1="\(at: place)" y2="\(at: place)"/>\
        <text x="\(at: area.left - 6)" y="\(at: place + 3.5)" text-anchor="end">\(tick.label)</text>
        """
    }
    let middle = (area.left + area.right) / 2
    return """
      <svg class="plot" width="\(at: 1.25 * Self.width)" viewBox="0 0 \(at: Self.width) \(at: Self.height)" role="img" aria-label="\(title)">\(grid)\
      <text class="axis" x="\(at: middle)" y="\(at: Self.height - 8)" text-anchor="middle">\(xTitle)</text>\
      <text class="axis" transform="translate(9 \(at: (area.top + area.bottom) / 2)) rotate(-90)" \
      text-anchor="middle">\(yTitle)</text>\(content)</svg>
      """
  }

  /// A line through points of the drawing.
  static func path(_ points: [(x: Double, y: Double)], _ style: String) -> HTML {
    var d: HTML = .empty
    for (index, point) in points.enumerated() {
      d += "\(index == 0 ? "M" : "L")\(at: point.x) \(at: point.y)"
    }
    return "<path class=\"line \(style)\" d=\"\(d)\"/>"
  }

  /// A distribution function as a line of steps.
  /// - Parameter values: ascending.
  static func steps(_ values: [Double], _ x: Axis, _ y: Axis) -> [(x: Double, y: Double)] {
    var points = [(x: x.places.from, y: y.place(0))]
    for (index, value) in values.enumerated() {
      points.append((x.place(value), points[points.count - 1].y))
      points.append((x.place(value), y.place(Double(index + 1) / Double(values.count))))
    }
    points.append((x.places.to, points[points.count - 1].y))
    return points
  }
}
