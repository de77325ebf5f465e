import LacunaEngine

extension RunReport {
  /// A table that scrolls by itself where it is wider than the page.
  static func table(_ caption: String, head: [HTML], rows: [HTML]) -> HTML {
    """
    <div class="scroll" role="region" aria-label="\(caption)" tabindex="0"><table><caption>\(caption)</caption>\
    <thead><tr>\(head.map { "<th scope=\"col\">\($0)</th>" as HTML })</tr></thead><tbody>\(rows)</tbody></table></div>
    """
  }

  private static func cells(_ values: [String]) -> [HTML] {
    values.map { "<td>\($0)</td>" as HTML }
  }

  private func heading(_ column: Int) -> HTML {
    let (title, role) = (columns[column].title, roleTitle(column))
    let small: HTML = title.contains("(\(role)") ? .empty : " <small>\(role)</small>"
    return "<th scope=\"row\"><span class=\"dot \(style(column))\"></span>\(title)\(small)</th>"
  }

  /// The figures that papers print, a line a model, published ones below.
  var headlineTable: HTML {
    let measured = columns.indices.map { index -> HTML in
      let figures = columns[index].figures
      let forget = figures.figures.tasks[.forget]
      let quality = figures.forgetQuality
      let values: [String?] = [
        quality.map { decimal($0.p, 3) }, quality.map { decimal($0.distance, 3) },
        figures.figures.modelUtility.map { decimal($0, 4) }, forget.map { decimal($0.rougeLRecall, 3) },
        forget.map { decimal($0.probability, 3) }, forget.map { decimal($0.truthRatio, 3) },
        forget?.recited.map { decimal(100 * $0, 1) + "%" },
      ]
      return "<tr>\(heading(index))\(Self.cells(values.map { $0 ?? "–" }))</tr>"
    }
    let others = published.map { row -> HTML in
      let values = [row.forgetQuality, "–", row.modelUtility, "–", "–", "–", "–"]
      return
        "<tr class=\"published\"><th scope=\"row\">\(row.method) <small>published</small></th>\(Self.cells(values))</tr>"
    }
    return Self.table(
      "Figures of each model",
      head: [
        "model", "forget quality <small>p</small>", "D", "model utility", "forget ROUGE-L",
        "forget probability",
        "forget truth ratio", "word for word",
      ], rows: measured + others)
  }

  /// The nine parts of model utility.
  var utilityTable: HTML? {
    guard columns.contains(where: { $0.figures.figures.modelUtility != nil }) else { return nil }
    let rows = columns.indices.map { index -> HTML in
      let values = TOFUTask.utilityTasks.flatMap { task -> [String] in
        guard let figures = columns[index].figures.figures.tasks[task] else {
          return ["–", "–", "–"]
        }
        return [figures.rougeLRecall, figures.probability, figures.truthRatio].map {
          decimal($0, 3)
        }
      }
      return "<tr>\(heading(index))\(Self.cells(values))</tr>"
    }
    let head: [HTML] = TOFUTask.utilityTasks.flatMap { task -> [HTML] in
      ["\(task.title) ROUGE-L", "\(task.title) probability", "\(task.title) truth ratio"]
    }
    return Self.table("Parts of model utility", head: ["model"] + head, rows: rows)
  }

  /// Quantiles of a figure, a line a model.
  func quantileTable(_ caption: String, _ value: (Int) -> [Double]) -> HTML {
    let quantiles = [0.1, 0.25, 0.5, 0.75, 0.9]
    let rows = columns.indices.map { index -> HTML in
      let distribution = Distribution(value(index))
      let values =
        quantiles.map { decimal(distribution.quantile($0), 3) } + [
          String(distribution.values.count)
        ]
      return "<tr>\(heading(index))\(Self.cells(values))</tr>"
    }
    let head = ["model"] + quantiles.map { "\(Int($0 * 100))%" as HTML } + ["rows"]
    return Self.table(caption, head: head, rows: rows)
  }

  /// Mean losses, a line an author.
  func authorTable(_ task: TOFUTask, _ authors: AuthorBlocks) -> HTML {
    let losses = columns.map { column in
      Dictionary(
        (column.log.tasks[task] ?? []).map { ($0.index, $0.answer.average) },
        uniquingKeysWith: { a, _ in a })
    }
    let rows = authors.blocks.map { block -> HTML in
      let values = losses.map { losses -> String in
        let own = (block.firstRow..<block.firstRow + authors.size).compactMap { losses[$0] }
        return own.isEmpty ? "–" : decimal(own.reduce(0, +) / Double(own.count), 3)
      }
      return "<tr><th scope=\"row\">\(block.name)</th>\(Self.cells(values))</tr>"
    }
    return Self.table(
      "Mean loss by author", head: ["author"] + columns.map { "\($0.title)" as HTML }, rows: rows)
  }

  /// How each column was measured.
  var provenanceTable: HTML {
    let rows = columns.indices.map { index -> HTML in
      let identity = columns[index].identity
      let values = [
        identity.map { String($0.modelHash.prefix(12)) }, identity?.weights, identity?.precision, identity?.kernels,
      ]
      let texts = [identity?.parameters, columns[index].file].map { text -> HTML in
        "<td class=\"text\">\(text ?? "–")</td>"
      }
      return "<tr>\(heading(index))\(Self.cells(values.map { $0 ?? "–" }))\(texts)</tr>"
    }
    return Self.table(
      "How each model was measured",
      head: ["model", "checkpoint", "weights", "precision", "kernels", "settings", "run"],
      rows: rows)
  }
}
