package import LacunaEngine

/// How far two runs of a plugin's probe are apart.
package struct ProbeDifference: Sendable {
  /// Rows that both have.
  package let rowCount: Int
  /// Rows with the same record, to the letter.
  package let equalCount: Int
  /// Over all numbers at the same place of two records.
  package let rootMeanSquare: Double
  package let largest: Double

  /// - Throws: `invalidArgument` if a row asks different things; `malformed` for a record that is not JSON.
  package init(
    _ a: [ResultStore.Record], _ b: [ResultStore.Record], files: (a: String, b: String)
  ) throws(LacunaError) {
    let others = Dictionary(b.map { ("\($0.task) \($0.row)", $0) }, uniquingKeysWith: { first, _ in first })
    var (rows, equal, squares, most, count) = (0, 0, 0.0, 0.0, 0)
    for record in a {
      guard let other = others["\(record.task) \(record.row)"] else { continue }
      guard record.itemHash == other.itemHash else {
        throw LacunaError(
          .invalidArgument, "\(files.a) and \(files.b): \(record.task), row \(record.row): not the same question")
      }
      rows += 1
      if record.value == other.value { equal += 1 }
      let (mine, theirs) = (try Self.numbers(record, files.a), try Self.numbers(other, files.b))
      for (path, number) in mine {
        guard let second = theirs[path] else { continue }
        squares += (number - second) * (number - second)
        most = max(most, abs(number - second))
        count += 1
      }
    }
    rowCount = rows
    equalCount = equal
    rootMeanSquare = count == 0 ? 0 : (squares / Double(count)).squareRoot()
    largest = most
  }

  private static func numbers(_ record: ResultStore.Record, _ file: String) throws(LacunaError) -> [String: Double] {
    var numbers: [String: Double] = [:]
    func collect(_ value: JSONValue, _ path: String) {
      switch value {
      case .object(let members): for (name, value) in members { collect(value, "\(path).\(name)") }
      case .array(let elements): for (index, value) in elements.enumerated() { collect(value, "\(path)[\(index)]") }
      case .double(let number): numbers[path] = number
      case .integer(let number): numbers[path] = Double(number)
      default: break
      }
    }
    collect(try JSONValue.parse(Array(record.value.utf8), file: "\(file): \(record.task), row \(record.row)"), "")
    return numbers
  }
}
