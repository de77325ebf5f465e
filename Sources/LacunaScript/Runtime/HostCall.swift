internal import LacunaEngine

/// The arguments of a host function, checked by its signature already.
///
/// The accessors trap where they disagree with the signature: that is a mistake of this module.
struct HostCall {
  let state: LuaState
  let arguments: [LuaValue]

  subscript(_ index: Int) -> LuaValue { index <= arguments.count ? arguments[index - 1] : .nil }

  func string(_ index: Int) -> String {
    guard case .string(let text) = self[index] else { preconditionFailure("argument \(index) is no string") }
    return text
  }

  func integer(_ index: Int) -> Int64? {
    guard case .integer(let value) = self[index] else { return nil }
    return value
  }

  func object<Object: ScriptObject>(_ index: Int, _ type: Object.Type = Object.self) -> Object {
    guard case .object(let object) = self[index], let object = object as? Object else {
      preconditionFailure("argument \(index) is no \(Object.scriptType.name)")
    }
    return object
  }

  /// A token id, checked against nothing but the range of its type.
  func token(_ index: Int) throws -> TokenID {
    guard let value = integer(index), let token = TokenID(exactly: value) else {
      throw HostFault.argument(index, "expected a token id, found \(self[index].kind)")
    }
    return token
  }

  func tokens(_ index: Int) throws -> [TokenID] { try Self.tokens(self[index]) { .argument(index, $0) } }

  static func tokens(_ value: LuaValue, _ fault: (String) -> HostFault) throws -> [TokenID] {
    guard case .table(let table) = value, table.fields.isEmpty else {
      throw fault("expected a list of token ids, found \(value.kind)")
    }
    var tokens: [TokenID] = []
    tokens.reserveCapacity(table.array.count)
    for (position, element) in table.array.enumerated() {
      guard let number = element.exactInteger, let token = TokenID(exactly: number) else {
        throw fault("expected a list of token ids, found \(element.kind) at \(position + 1)")
      }
      tokens.append(token)
    }
    return tokens
  }

  /// The options table at `index`; an empty one where it is absent.
  func options(_ index: Int, _ names: [String]) throws -> OptionTable {
    switch self[index] {
    case .nil: return try OptionTable(LuaTable(), names, argument: index)
    case .table(let table): return try OptionTable(table, names, argument: index)
    default: preconditionFailure("argument \(index) is no table")
    }
  }
}

extension LuaValue {
  /// An integer, or a number without a fraction.
  var exactInteger: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    default: nil
    }
  }

  var exactInt: Int? { exactInteger.flatMap { Int(exactly: $0) } }

  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
