import LacunaEngine

extension RunReport {
  /// The figures in words, a few sentences for each model that is judged.
  var findings: [String] { judged.flatMap(findings) }

  private func findings(_ index: Int) -> [String] {
    let column = columns[index]
    var found: [String] = []
    if let test = column.figures.forgetQuality {
      let verdict =
        test.p < 0.05
        ? "tells its truth ratios from those of the retrained model"
        : "does not tell its truth ratios from those of the retrained model"
      found.append(
        "\(column.title): forget quality \(decimal(test.p, 3)) (D \(decimal(test.distance, 3)) over \(test.n) rows): "
          + "at 5% the test \(verdict).")
    }
    if let forget = column.figures.figures.tasks[.forget], let recited = forget.recited {
      let count = Int((recited * Double(forget.count)).rounded())
      var sentence =
        "\(column.title) gives \(count) of \(forget.count) answers to be forgotten word for word"
      if let original = same(.original, as: index)?.tasks[.forget]?.recited {
        sentence += ", the original \(Int((original * Double(forget.count)).rounded()))"
      }
      found.append(sentence + ".")
    }
    if let utility = column.figures.figures.modelUtility {
      var sentence = "\(column.title): model utility \(decimal(utility, 4))"
      if let original = same(.original, as: index)?.modelUtility, original > 0 {
        sentence += ", \(decimal(100 * utility / original, 1))% of the original's"
      }
      found.append(sentence + ".")
    }
    return found
  }

  /// Figures of the column of a role that was measured in the same run, or of the only one.
  private func same(_ role: ResultStore.Role, as index: Int) -> TOFUFigures? {
    let all = columns.filter { $0.role == role }
    return (all.first { $0.file == columns[index].file } ?? (all.count == 1 ? all[0] : nil))?
      .figures.figures
  }
}
