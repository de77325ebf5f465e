internal import LacunaEngine

/// A table of named options: every name is known, every value of its kind.
struct OptionTable {
  private let table: LuaTable
  private let argument: Int

  init(_ table: LuaTable, _ names: [String], argument: Int) throws {
    self.table = table
    self.argument = argument
    guard table.array.isEmpty else {
      throw HostFault.argument(argument, "expected named options, found a list")
    }
    for (key, _) in table.fields {
      guard case .string(let name) = key else {
        throw HostFault.argument(argument, "expected named options, found a \(key.kind) as a name")
      }
      guard names.contains(name) else {
        throw HostFault.argument(argument, "unknown option '\(name)'\(NearestName.hint(name, in: names))")
      }
    }
  }

  subscript(_ name: String) -> LuaValue { table[name] }

  func has(_ name: String) -> Bool { !table[name].isNil }

  func fault(_ name: String, _ expected: String, _ found: LuaValue) -> HostFault {
    .argument(argument, "option '\(name)': expected \(expected), found \(found.shown)")
  }

  func bool(_ name: String) throws -> Bool? {
    switch table[name] {
    case .nil: return nil
    case .bool(let value): return value
    case let other: throw fault(name, "true or false", other)
    }
  }

  func integer(_ name: String, in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int? {
    let value = table[name]
    if value.isNil { return nil }
    guard let number = value.exactInteger, range.contains(Int(number)) else {
      let bounds =
        range.lowerBound == Int.min
        ? "an integer"
        : "an integer from \(range.lowerBound)\(range.upperBound == Int.max ? "" : " to \(range.upperBound)")"
      throw fault(name, bounds, value)
    }
    return Int(number)
  }

  func number(_ name: String) throws -> Double? {
    let value = table[name]
    if value.isNil { return nil }
    guard let number = value.double, number.isFinite else { throw fault(name, "a number", value) }
    return number
  }

  /// Any integer, negative ones by their bits.
  func bits(_ name: String) throws -> UInt64? { try integer(name).map { UInt64(bitPattern: Int64($0)) } }

  func string(_ name: String) throws -> String? {
    switch table[name] {
    case .nil: return nil
    case .string(let text): return text
    case let other: throw fault(name, "a string", other)
    }
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, _ type: Choice.Type) throws -> Choice?
  where Choice.RawValue == String {
    guard let text = try string(name) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      throw fault(name, Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or "), .string(text))
    }
    return choice
  }

  /// A string, or a list of strings.
  func strings(_ name: String) throws -> [String]? {
    switch table[name] {
    case .nil: return nil
    case .string(let text): return [text]
    case .table(let list) where list.fields.isEmpty:
      return try list.array.map { element in
        guard case .string(let text) = element else { throw fault(name, "strings", element) }
        return text
      }
    case let other: throw fault(name, "a list of strings", other)
    }
  }

  func function(_ name: String) throws -> LuaReference? {
    switch table[name] {
    case .nil: return nil
    case .function(let function): return function
    case let other: throw fault(name, "a function", other)
    }
  }

  func table(_ name: String) throws -> LuaTable? {
    switch table[name] {
    case .nil: return nil
    case .table(let table): return table
    case let other: throw fault(name, "a table", other)
    }
  }

  func tokens(_ name: String) throws -> [TokenID]? {
    let value = table[name]
    if value.isNil { return nil }
    return try HostCall.tokens(value) { .argument(argument, "option '\(name)': \($0)") }
  }
}

extension LuaValue {
  /// As a message shows it: scalars as they are.
  var shown: String {
    switch self {
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let text): "\"\(text.prefix(60))\""
    default: kind
    }
  }
}
