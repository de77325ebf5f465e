internal import LacunaEngine

/// The named fields of a table in which a script defines something: every name is known, every value of its kind.
struct DefinitionFields {
  private let table: LuaTable
  let fault: (String) -> HostFault

  /// - Parameter fault: makes the error of a message; it says what is being defined.
  init(_ value: LuaValue, _ names: [String], _ fault: @escaping (String) -> HostFault) throws {
    guard case .table(let table) = value, table.array.isEmpty else {
      throw fault("expected a table with named fields, found \(value.kind)")
    }
    for (key, _) in table.fields {
      guard case .string(let name) = key, names.contains(name) else {
        let name = if case .string(let name) = key { name } else { key.shown }
        throw fault("unknown field '\(name)'\(NearestName.hint(name, in: names))")
      }
    }
    self.table = table
    self.fault = fault
  }

  subscript(_ name: String) -> LuaValue { table[name] }

  private func mismatch(_ name: String, _ expected: String) -> HostFault {
    fault("'\(name)' must be \(expected), found \(table[name].kind)")
  }

  func function(_ name: String) throws -> LuaReference? {
    switch table[name] {
    case .nil: return nil
    case .function(let function): return function
    default: throw mismatch(name, "a function")
    }
  }

  func required(_ name: String) throws -> LuaReference {
    guard let function = try function(name) else { throw fault("'\(name)' is missing: a function") }
    return function
  }

  func string(_ name: String) throws -> String? {
    switch table[name] {
    case .nil: return nil
    case .string(let text): return text
    default: throw mismatch(name, "a string")
    }
  }

  func strings(_ name: String) throws -> [String] {
    switch table[name] {
    case .nil: return []
    case .string(let text): return [text]
    case .table(let list) where list.fields.isEmpty:
      return try list.array.map { element in
        guard case .string(let text) = element else { throw mismatch(name, "a list of strings") }
        return text
      }
    default: throw mismatch(name, "a list of strings")
    }
  }

  func bool(_ name: String) throws -> Bool? {
    switch table[name] {
    case .nil: return nil
    case .bool(let value): return value
    default: throw mismatch(name, "true or false")
    }
  }

  func number(_ name: String) throws -> Double? {
    let value = table[name]
    if value.isNil { return nil }
    guard let number = value.double else { throw mismatch(name, "a number") }
    guard number.isFinite else { throw fault("'\(name)' must be a finite number, found \(number)") }
    return number
  }

  func table(_ name: String) throws -> LuaTable? {
    switch table[name] {
    case .nil: return nil
    case .table(let table): return table
    default: throw mismatch(name, "a table")
    }
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ type: Choice.Type) throws -> Choice?
  where Choice.RawValue == String {
    try string(name).map { try choice(name, $0) }
  }

  /// One of the choices, or a list of them.
  func choices<Choice: RawRepresentable & CaseIterable>(_ name: String, _ type: Choice.Type) throws -> [Choice]
  where Choice.RawValue == String {
    try strings(name).map { try choice(name, $0) }
  }

  private func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ text: String) throws -> Choice
  where Choice.RawValue == String {
    guard let choice = Choice(rawValue: text) else {
      let names = Choice.allCases.map(\.rawValue)
      throw fault(
        "'\(name)' must be \(names.map { "\"\($0)\"" }.joined(separator: " or ")), found \"\(text)\""
          + NearestName.hint(text, in: names))
    }
    return choice
  }

  func schema(_ name: String) throws -> ParameterSchema {
    try ParameterSchema(table[name]) { fault("\(name): \($0)") }
  }
}
