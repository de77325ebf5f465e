package import LacunaEngine

/// What a sampler, decoder, pipeline, probe or tool takes: names, kinds, ranges, defaults, as its plugin wrote them.
package struct ParameterSchema {
  package struct Parameter {
    package enum Kind: String, CaseIterable {
      case number, integer, boolean, string
      /// Values of one kind.
      case list
      /// Plain data of any shape.
      case table
    }

    package let name: String
    package let kind: Kind
    /// Of a list's elements.
    let element: Kind
    /// nil: the caller must name it, unless `isOptional`.
    package fileprivate(set) var defaultValue: LuaValue?
    package let isOptional: Bool
    let least, greatest: Double?
    /// The only values that are allowed; empty for all.
    package let choices: [LuaValue]
    /// "ms", "tokens"; shown in help.
    package let unit: String?
    package let meaning: String?

    package var isRequired: Bool { defaultValue == nil && !isOptional }
  }

  /// By name.
  package let parameters: [Parameter]

  package static var empty: ParameterSchema { ParameterSchema(parameters: []) }

  private init(parameters: [Parameter]) { self.parameters = parameters }

  // MARK: Reading what a plugin wrote

  /// - Parameter value: { p = { type = "number", default = 0.05, min = 0, max = 1, description = "..." }, ... }; nil
  ///   for none.
  init(_ value: LuaValue, _ fault: @escaping (String) -> HostFault) throws {
    if value.isNil {
      self = .empty
      return
    }
    guard case .table(let table) = value, table.array.isEmpty else {
      throw fault("expected named parameters, found \(value.kind)")
    }
    parameters = try table.fields.map { key, value in
      guard case .string(let name) = key, PluginManifest.isIdentifier(name) else {
        throw fault("a parameter's name must be of small letters, digits and \"_\", found \(key.shown)")
      }
      return try Parameter(name: name, value) { fault("\(name): \($0)") }
    }.sorted { $0.name < $1.name }
  }

  // MARK: Checking what a caller gave

  /// The values, with defaults for what is not named.
  /// - Parameters:
  ///   - subject: "sampler stage \"min-p/min_p\"", for messages.
  ///   - noun: what the message calls one of them.
  /// - Throws: `invalidArgument` naming the parameter, what was expected and what was found.
  package func resolve(
    _ given: LuaTable, subject: String, noun: String = "parameter"
  ) throws(LacunaError) -> LuaTable {
    let names = parameters.map(\.name)
    var fields = given.fields
    // { "top_a", 0.2 }: the only parameter there is.
    if given.array.count == 1, parameters.count == 1 { fields.append((.string(names[0]), given.array[0])) }
    guard given.array.isEmpty || (given.array.count == 1 && parameters.count == 1) else {
      throw LacunaError(.invalidArgument, "\(subject): expected named \(noun)s, found a list")
    }
    for (key, _) in fields {
      guard case .string(let name) = key, names.contains(name) else {
        let takes = names.isEmpty ? "it takes none" : "it takes \(names.joined(separator: ", "))"
        let name = if case .string(let name) = key { name } else { key.shown }
        throw LacunaError(
          .invalidArgument, "\(subject): no \(noun) \"\(name)\"\(NearestName.hint(name, in: names)); \(takes)")
      }
    }
    let values = LuaTable(fields: fields)
    var result = LuaTable()
    for parameter in parameters {
      let value = values[parameter.name]
      if value.isNil {
        guard !parameter.isRequired else {
          throw LacunaError(
            .invalidArgument,
            "\(subject), \(noun) \"\(parameter.name)\": expected \(parameter.expectation), found nothing")
        }
        if let value = parameter.defaultValue { result.fields.append((.string(parameter.name), value)) }
      } else if let value = parameter.accept(value) {
        result.fields.append((.string(parameter.name), value))
      } else {
        throw LacunaError(
          .invalidArgument,
          "\(subject), \(noun) \"\(parameter.name)\": expected \(parameter.expectation), found \(value.shown)")
      }
    }
    return result
  }
}

extension ParameterSchema.Parameter {
  private static let fields = [
    "type", "of", "default", "optional", "min", "max", "enum", "unit", "description",
  ]

  fileprivate init(name: String, _ value: LuaValue, _ fault: @escaping (String) -> HostFault) throws {
    let fields = try DefinitionFields(value, Self.fields, fault)
    var choices: [LuaValue] = []
    if let list = try fields.table("enum") {
      guard list.fields.isEmpty, !list.array.isEmpty else { throw fault("'enum' must be a list of values") }
      choices = list.array
    }
    guard let kind = try fields.choice("type", Kind.self) ?? choices.first.flatMap(Kind.init(of:)) else {
      throw fault("'type' is missing: one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.name = name
    self.kind = kind
    self.choices = choices
    element = try fields.choice("of", Kind.self) ?? .string
    least = try fields.number("min")
    greatest = try fields.number("max")
    unit = try fields.string("unit")
    meaning = try fields.string("description")
    isOptional = try fields.bool("optional") ?? false
    let given = fields["default"]
    defaultValue = nil
    guard !given.isNil else { return }
    guard let accepted = accept(given) else {
      throw fault("'default' must be \(expectation), found \(given.shown)")
    }
    defaultValue = accepted
  }

  /// The value in its kind's own form; nil where it is of another kind, out of range or none of the choices.
  func accept(_ value: LuaValue) -> LuaValue? {
    guard let value = accept(value, as: kind) else { return nil }
    guard choices.isEmpty || choices.contains(where: { $0.isSameScalar(as: value) }) else { return nil }
    return value
  }

  private func accept(_ value: LuaValue, as kind: Kind) -> LuaValue? {
    switch (kind, value) {
    case (.number, .number), (.number, .integer):
      guard let number = value.double, number.isFinite, isInRange(number) else { return nil }
      return .number(number)
    case (.integer, .number), (.integer, .integer):
      guard let number = value.exactInteger, isInRange(Double(number)) else { return nil }
      return .integer(number)
    case (.boolean, .bool), (.string, .string): return value
    case (.list, .table(let table)):
      guard table.fields.isEmpty else { return nil }
      let elements = table.array.compactMap { accept($0, as: element) }
      return elements.count == table.array.count ? .list(elements) : nil
    // A text stands for a list of one.
    case (.list, .string): return accept(.list([value]), as: .list)
    case (.table, .table): return value.isPlain ? value : nil
    default: return nil
    }
  }

  private func isInRange(_ number: Double) -> Bool {
    number >= least ?? -.infinity && number <= greatest ?? .infinity
  }

  /// The default as a help text shows it.
  package var defaultText: String? { defaultValue.map { JSONCodec.line($0) } }

  /// "a number from 0 to 1".
  package var expectation: String {
    if !choices.isEmpty { return choices.map(\.shown).joined(separator: " or ") }
    let noun =
      switch kind {
      case .number: "a number"
      case .integer: "a whole number"
      case .boolean: "true or false"
      case .string: "a string"
      case .list: "a list of \(element.rawValue)s"
      case .table: "a table of plain data"
      }
    return switch (least, greatest) {
    case (let low?, let high?): "\(noun) from \(Self.text(low)) to \(Self.text(high))"
    case (let low?, nil): "\(noun) of \(Self.text(low)) or more"
    case (nil, let high?): "\(noun) of \(Self.text(high)) or less"
    case (nil, nil): noun
    }
  }

  private static func text(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
}

extension ParameterSchema.Parameter.Kind {
  fileprivate init?(of value: LuaValue) {
    switch value {
    case .string: self = .string
    case .integer: self = .integer
    case .number: self = .number
    case .bool: self = .boolean
    default: return nil
    }
  }
}

extension LuaValue {
  /// Numbers, texts, booleans and tables of them.
  var isPlain: Bool {
    switch self {
    case .nil, .null, .bool, .integer, .number, .string, .integers, .floats: true
    case .table(let table):
      table.array.allSatisfy(\.isPlain) && table.fields.allSatisfy { $0.key.isPlain && $0.value.isPlain }
    default: false
    }
  }

  fileprivate func isSameScalar(as other: LuaValue) -> Bool {
    switch (self, other) {
    case (.string(let a), .string(let b)): a == b
    case (.bool(let a), .bool(let b)): a == b
    default: double != nil && double == other.double
    }
  }
}
