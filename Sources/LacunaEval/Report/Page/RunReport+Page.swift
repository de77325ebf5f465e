import Crypto

extension RunReport {
  /// One HTML page that needs nothing else: no network, no other file.
  public var html: String {
    let script = String(decoding: PackageResources.report_js, as: UTF8.self)
    let style = String(decoding: PackageResources.report_css, as: UTF8.self)
    // Only our own script runs, by its digest, and nothing is fetched: also if a text should slip through.
    let policy =
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-\(Base64.text(of: SHA256.hash(data: Array(script.utf8))))'"
    let names = judged.map { columns[$0].title }.joined(separator: ", ")
    let verb = judged.count == 1 ? "has" : "have"
    let page: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(policy)">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>What \(names) \(verb) forgotten</title>
      <style>\(HTML(trusted: style))</style>
      </head>
      <body>
      <header><p class="kicker">Lacuna report</p><h1>What <em>\(names)</em> \(verb) forgotten</h1><p class="meta">\(summary)</p></header>
      <main>
      \(sections)
      </main>
      <footer>Made by <code>lacuna report</code> from \(files.joined(separator: ", ")).</footer>
      <script type="application/json" id="data">\(pageData)</script>
      <script>\(HTML(trusted: script))</script>
      </body>
      </html>

      """
    return page.markup
  }

  private var summary: String {
    let counts = Self.taskOrder.compactMap { task -> String? in
      let count = columns.compactMap { $0.log.tasks[task]?.count }.max() ?? 0
      return count > 0 ? "\(task.title) \(count)" : nil
    }
    let split = split.map { "\($0.rawValue); " } ?? ""
    guard hasTOFU else { return "\(split)probes: \(probes.map(\.title).joined(separator: ", "))" }
    return "TOFU, \(split)rows: \(counts.joined(separator: ", ")); "
      + "profile \(scoring.profile.name.rawValue), truth ratio \(scoring.truthRatio.rawValue)"
  }

  private var sections: [HTML] {
    let tofu: [HTML?] = hasTOFU ? [headline, truthRatios, losses, authorMaps(.forget), authorMaps(.retain)] : []
    return tofu.compactMap(\.self) + probes.map { section($0) } + [Self.answers, provenance]
  }

  static func section(_ id: String, _ title: String, _ content: HTML) -> HTML {
    "<section id=\"\(id)\" aria-labelledby=\"\(id)-title\"><h2 id=\"\(id)-title\">\(title)</h2>\n\(content)\n</section>\n"
  }

  private static func data(_ title: String, _ table: HTML) -> HTML {
    "<details><summary>\(title)</summary>\(table)</details>"
  }

  private var headline: HTML {
    let findings = findings.map { "<li>\($0)</li>" as HTML }
    let source: HTML =
      published.isEmpty
      ? .empty
      : "<p class=\"reading\">Published: \(PublishedTOFU.source). For orientation: another model, measured elsewhere.</p>"
    let parts: HTML =
      utilityTable.map { Self.data("The nine parts of model utility", $0) } ?? .empty
    let hollow = published.isEmpty ? "" : " Hollow squares are published ones."
    let quality: HTML =
      qualityPlot().map { plot in
        """
        <figure class="beside"><div>\(key(Array(columns.indices)))\(plot)</div><figcaption class="reading">Top right is \
        where an unlearned model should be: as useful as the original, and not to be told from the retrained one. Right \
        of the upright line the test does not tell it at 5%.\(hollow)</figcaption></figure>
        """
      } ?? .empty
    return Self.section(
      "figures", "Figures",
      """
      <ul class="findings">\(findings)</ul>
      \(headlineTable)
      <p class="reading">Forget quality is the p-value of an exact two-sample Kolmogorov-Smirnov test of the truth ratios against \
      the retrained model's, and D their distance: 0 is alike. Model utility is the harmonic mean of nine figures about what was \
      to be kept. Forget ROUGE-L, probability and the share of answers given word for word say what can still be got out.</p>
      \(source)\(parts)\(quality)
      """)
  }

  private var truthRatios: HTML? {
    guard let plot = truthRatioPlot() else { return nil }
    let shown = columns.indices.filter { columns[$0].log.tasks[.forget] != nil }
    let table = quantileTable("Quantiles of the truth ratio") { Array(truthRatios($0).values) }
    return Self.section(
      "truth-ratios", "Does it still prefer the truth?",
      """
      <figure class="beside"><div>\(key(shown))\(plot)</div><figcaption class="reading">Each line climbs from 0 to 100% as \
      rows of the forget task fall at or below a truth ratio. Right of 1 a model prefers the true answer to false ones. A \
      model that forgot well follows the retrained line; D is the widest gap between the two.</figcaption></figure>
      \(Self.data("Quantiles of the truth ratio", table))
      """)
  }

  private var losses: HTML? {
    let plots = Self.taskOrder.compactMap { task in
      lossPlot(task).map { "<figure><h3>\(task.title)</h3>\($0)</figure>" as HTML }
    }
    guard !plots.isEmpty else { return nil }
    let tables = Self.taskOrder.filter { task in columns.contains { $0.log.tasks[task] != nil } }
      .map { task in
        quantileTable("Quantiles of the loss, \(task.title)") {
          (columns[$0].log.tasks[task] ?? []).map(\.answer.average)
        }
      }
    return Self.section(
      "losses", "How surprised is it by the true answers?",
      """
      \(key(Array(columns.indices)))
      <div class="plots">\(plots)</div>
      <p class="reading">Shares of rows by loss (mean -ln p of the true answer's tokens), on a logarithmic axis: left is known by \
      heart, right is news to the model. What was to be forgotten should move to where the retrained model has it, and no further; \
      the others should stay.</p>
      \(Self.data("Quantiles of the losses", tables.reduce(.empty, +)))
      """)
  }

  private func authorMaps(_ task: TOFUTask) -> HTML? {
    guard let authors = authors(task) else { return nil }
    let shown = columns.indices.filter { columns[$0].log.tasks[task] != nil }
    let maps = shown.map { column -> HTML in
      "<figure><h3>\(columns[column].title)</h3>\(heatMap(column, task, authors).svg)</figure>"
    }
    let differences = judged.compactMap { column -> HTML? in
      guard let map = differenceMap(column, task, authors) else { return nil }
      return "<figure><h3>\(map.title)</h3>\(map.svg)</figure>"
    }
    let compared: HTML =
      differences.isEmpty
      ? .empty
      : """
      <div class="plots">\(differences)</div>\(KnowledgeScale.differenceLegend)
      <p class="reading">The same against the retrained model. Orange: it still knows more than a model that never saw the row. \
      Purple: it was pushed beyond not knowing.</p>
      """
    return Self.section(
      "authors-\(task.rawValue)",
      task == .forget ? "Which authors are left?" : "Which kept authors suffered?",
      """
      <div class="plots">\(maps)</div>\(KnowledgeScale.legend())
      <p class="reading">A line for each author, a square for each of the \(authors.width) questions: the stronger the colour, the \
      likelier the true answer (p a token). A click on a square shows the answers.</p>
      \(compared)\(Self.data("Mean loss by author", authorTable(task, authors)))
      """)
  }

  private static var answers: HTML {
    section(
      "answers", "Answers side by side",
      """
      <noscript><p>Answers and their table need the page's script.</p></noscript>
      <div id="viewer" class="viewer">
      <div class="bar"><span id="position" class="meta" role="status"></span>\
      <span><button type="button" id="previous">← previous</button> <button type="button" id="next">next →</button></span></div>
      <div id="shown"></div>
      </div>
      \(KnowledgeScale.legend(soft: true))
      <p class="reading">Each token is coloured by the probability that the model gave it: what fades was not expected. Point at a token \
      for its number.</p>
      <h3>All rows</h3>
      <form id="controls" class="controls" role="search"></form>
      <p id="count" class="meta" role="status"></p>
      <div class="scroll tall" role="region" aria-label="All rows" tabindex="0"><table id="items"><caption>All rows</caption>\
      <thead></thead><tbody></tbody></table></div>
      <p class="print-only reading">The table of all rows is on the screen only; <code>lacuna report --csv items</code> gives it whole.</p>
      """)
  }

  private var provenance: HTML {
    let notes = notes.map { "<li>\($0)</li>" as HTML }
    let list: HTML = notes.isEmpty ? .empty : "<ul>\(notes)</ul>"
    return Self.section("provenance", "How this was measured", "\(list)\(provenanceTable)")
  }
}
