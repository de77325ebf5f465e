/// The parameters of one stage, checked against its schema, with defaults filled in.
struct StageParameters {
  private let stage: String
  private let values: [String: StageDescription.Value]

  /// - Throws: `invalidArgument` naming stage and parameter: unknown names, values of another kind or out of range.
  init(_ description: StageDescription, _ schema: StageSchema) throws(LacunaError) {
    let names = schema.parameters.map(\.name)
    for name in description.parameters.keys.sorted() where !names.contains(name) {
      let takes = names.isEmpty ? "it takes none" : "it takes \(names.joined(separator: ", "))"
      throw LacunaError(
        .invalidArgument,
        "sampler stage \"\(schema.name)\": no parameter \"\(name)\"\(NearestName.hint(name, in: names)); \(takes)")
    }
    var values: [String: StageDescription.Value] = [:]
    for parameter in schema.parameters {
      guard let given = description.parameters[parameter.name] else {
        values[parameter.name] = parameter.defaultValue
        continue
      }
      guard let value = parameter.accept(given) else {
        throw LacunaError(
          .invalidArgument,
          "sampler stage \"\(schema.name)\", parameter \"\(parameter.name)\": expected \(parameter.expectation), "
            + "found \(given.shown)")
      }
      values[parameter.name] = value
    }
    self.stage = schema.name
    self.values = values
  }

  func number(_ name: String) -> Double {
    guard case .number(let value)? = values[name] else { preconditionFailure("\(stage) has no number \(name)") }
    return value
  }

  func integer(_ name: String) -> Int { Int(number(name)) }

  func bool(_ name: String) -> Bool {
    guard case .bool(let value)? = values[name] else { preconditionFailure("\(stage) has no bool \(name)") }
    return value
  }

  /// Texts or numbers.
  func list(_ name: String) -> StageDescription.Value {
    guard let value = values[name] else { preconditionFailure("\(stage) has no list \(name)") }
    return value
  }

  func biases(_ name: String) -> [TokenID: Float] {
    guard case .biases(let value)? = values[name] else { preconditionFailure("\(stage) has no biases \(name)") }
    return value
  }
}

extension StageSchema.Parameter {
  /// The value in its kind's own form; nil where it is of another kind or out of range.
  package func accept(_ value: StageDescription.Value) -> StageDescription.Value? {
    switch (kind, value) {
    case (.number, .number(let number)):
      interval.contains(number) ? value : nil
    case (.integer, .number(let number)):
      interval.contains(number) && number == number.rounded() ? value : nil
    case (.bool, .bool), (.texts, .texts), (.texts, .numbers):
      value
    case (.texts, .text(let text)):
      .texts([text])
    case (.biases, .biases(let biases)):
      biases.values.allSatisfy { $0 < .infinity } ? value : nil
    // An empty list says nothing of its kind.
    case (.biases, .numbers([])), (.biases, .texts([])):
      .biases([:])
    case (.texts, .biases([:])):
      .texts([])
    default:
      nil
    }
  }

  /// "a whole number in 0...100".
  package var expectation: String {
    switch kind {
    case .number: "a number in \(bound(interval.lowerBound))...\(bound(interval.upperBound))"
    case .integer: "a whole number in \(bound(interval.lowerBound))...\(bound(interval.upperBound))"
    case .bool: "true or false"
    case .texts: "a list of texts or of token ids"
    case .biases: "token ids with a number or -inf each"
    }
  }

  private func bound(_ value: Double) -> String { StageDescription.Value.number(value).shown }
}

extension StageDescription.Value {
  /// As in an error message or a help text.
  package var shown: String {
    switch self {
    case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
    case .bool(let value): "\(value)"
    case .text(let text): "\"\(text)\""
    case .numbers(let numbers): "[\(numbers.map { Self.number($0).shown }.joined(separator: ", "))]"
    case .texts(let texts): "[\(texts.map { $0.debugDescription }.joined(separator: ", "))]"
    case .biases(let biases):
      "{\(biases.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", "))}"
    }
  }
}

extension StageSchema.Parameter {
  static func number(
    _ name: String, _ defaultValue: Double, _ interval: ClosedRange<Double>, _ meaning: String
  ) -> Self {
    Self(name: name, kind: .number, defaultValue: .number(defaultValue), interval: interval, meaning: meaning)
  }

  static func integer(_ name: String, _ defaultValue: Int, _ interval: ClosedRange<Int>, _ meaning: String) -> Self {
    Self(
      name: name, kind: .integer, defaultValue: .number(Double(defaultValue)),
      interval: Double(interval.lowerBound)...Double(interval.upperBound), meaning: meaning)
  }

  static func bool(_ name: String, _ defaultValue: Bool, _ meaning: String) -> Self {
    Self(name: name, kind: .bool, defaultValue: .bool(defaultValue), interval: 0...1, meaning: meaning)
  }

  /// Where a filter stops cutting.
  static let minKeep = integer(
    "min_keep", 1, 1...1_000_000, "keep at least this many of the best tokens, whatever else is asked for")
}
