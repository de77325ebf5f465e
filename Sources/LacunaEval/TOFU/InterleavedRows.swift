/// The order in which OPTML-Group's released code reports rows when it runs on more processes than its merge expects.
///
/// Rows are dealt to the processes in batches, as accelerate does it with `even_batches`: batch b to process b mod P, and
/// the last round filled up with rows from the beginning. The merge then joins the processes' lists, cuts the result in
/// two halves and takes batches from them in turn, which restores the order of two processes and of no other number.
public enum InterleavedRows {
  /// Of what is scored once a question.
  static let answerBatch = 30
  /// Of paraphrases and wrong answers: a quarter.
  static let perturbedBatch = 7

  /// For each reported place the row that stands there.
  public static func order(count: Int, batch: Int, processes: Int) -> [Int] {
    guard count > 0 else { return [] }
    let dealt = (0..<processes).flatMap { share(of: $0, count: count, batch: batch, processes: processes) }
    let (first, second) = (dealt[..<(dealt.count / 2)], dealt[(dealt.count / 2)...])
    var merged: [Int] = []
    for start in stride(from: 0, to: first.count, by: batch) {
      merged += first.dropFirst(start).prefix(batch)
      merged += second.dropFirst(start).prefix(batch)
    }
    return Array(merged.prefix(count))
  }

  /// The rows that one process is dealt.
  private static func share(of process: Int, count: Int, batch: Int, processes: Int) -> [Int] {
    let round = batch * processes
    let rounds = (count + round - 1) / round
    return (0..<rounds).flatMap { number in
      (0..<batch).map { (number * round + process * batch + $0) }.map { row in
        // Beyond the end: the first round's rows again, over and over if there are too few.
        row < count ? row : (row - count) % min(count, round)
      }
    }
  }
}

extension TOFULog {
  /// The log as that code writes it on `processes` devices: rows are missing, others are there twice, and answers stand
  /// beside the wrong answers to other questions.
  public func interleaved(processes: Int) -> TOFULog {
    var copy = self
    for (task, rows) in tasks {
      let answers = InterleavedRows.order(
        count: rows.count, batch: InterleavedRows.answerBatch, processes: processes)
      let perturbed = InterleavedRows.order(
        count: rows.count, batch: InterleavedRows.perturbedBatch, processes: processes)
      copy.tasks[task] = zip(rows.indices, zip(answers, perturbed)).map { place, order in
        var row = rows[order.0]
        row.index = rows[place].index
        row.paraphrase = rows[order.1].paraphrase
        row.perturbed = rows[order.1].perturbed
        return row
      }
    }
    return copy
  }
}
