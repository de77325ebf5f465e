package import LacunaEngine

/// A value on its way between Lua and the host.
package enum LuaValue {
  case `nil`
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  /// Lua's strings are bytes: ill-formed UTF-8 is repaired on the way in.
  case string(String)
  case table(LuaTable)
  /// `lacuna.json.null`.
  case null
  /// An object behind a handle.
  case object(any ScriptObject)

  // From Lua only.
  case function(LuaReference)
  /// The floats of a Vec that is an argument; valid during the host call that it is of.
  case vector(UnsafeBufferPointer<Float>)

  /// A Vec of the script's own: floats that the object keeps until they have been copied. From Lua: one in a table or in a
  /// result.
  case ownVector(UnsafeBufferPointer<Float>, owner: AnyObject)
  case tokenSet(TokenMask)

  // To Lua only.
  case reference(LuaReference)
  /// A table that Lua has already, with these fields set anew.
  case change(LuaReference, fields: [(key: LuaValue, value: LuaValue)])
  case integers([Int32])
  case floats([Float])
  case view(LuaView)
  /// The call's first argument, for verbs that return their receiver.
  case receiver
  case error(code: String, message: String)
  case random(seed: UInt64, stream: UInt64, position: UInt64)

  var isNil: Bool { if case .nil = self { true } else { false } }

  /// As an error message calls it.
  var kind: String {
    switch self {
    case .nil: "nil"
    case .bool: "boolean"
    case .integer: "integer"
    case .number: "number"
    case .string: "string"
    case .table, .integers, .floats, .error: "table"
    case .null: "null"
    case .function: "function"
    case .object(let object): type(of: object).scriptType.name
    case .vector, .ownVector, .view: "lacuna.vec"
    case .tokenSet: "lacuna.set"
    case .random: "lacuna.rng"
    case .change: "table"
    case .reference, .receiver: "value"
    }
  }

  /// A Vec of the script's own.
  static func vec(_ values: [Float]) -> LuaValue {
    let floats = HostFloats(values)
    return .ownVector(floats.values, owner: floats)
  }
  /// A copy of a Vec's elements; nil for anything else.
  var vectorElements: [Float]? {
    switch self {
    case .vector(let floats): Array(floats)
    case .ownVector(let floats, let owner): withExtendedLifetime(owner) { Array(floats) }
    default: nil
    }
  }

  static func text(_ text: String?) -> LuaValue { text.map { .string($0) } ?? .nil }
  static func count(_ count: Int) -> LuaValue { .integer(Int64(count)) }
  static func token(_ token: TokenID?) -> LuaValue { token.map { .integer(Int64($0)) } ?? .nil }
  static func list(_ values: [LuaValue]) -> LuaValue { .table(LuaTable(array: values)) }
  /// A table with string keys; absent where the value is nil.
  static func record(_ fields: KeyValuePairs<String, LuaValue>) -> LuaValue {
    .table(LuaTable(fields: fields.filter { !$0.value.isNil }.map { (.string($0.key), $0.value) }))
  }
}

package struct LuaTable {
  /// The values of keys 1, 2, ...
  var array: [LuaValue] = []
  /// All others, in no order.
  var fields: [(key: LuaValue, value: LuaValue)] = []
  /// Told to be an array by `lacuna.json.array`, which matters when it is empty.
  var isMarkedAsArray = false

  subscript(_ name: String) -> LuaValue {
    for case (.string(name), let value) in fields { return value }
    return .nil
  }

  var isEmpty: Bool { array.isEmpty && fields.isEmpty }
}

/// Floats on their way to a Vec.
private final class HostFloats {
  let values: UnsafeBufferPointer<Float>

  init(_ values: [Float]) {
    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(values.count, 1))
    _ = copy.initialize(from: values)
    self.values = UnsafeBufferPointer(rebasing: copy[..<values.count])
  }

  deinit { UnsafeMutablePointer(mutating: values.baseAddress)?.deallocate() }
}

/// A Vec over memory of the host that goes stale when its source says so.
package struct LuaView {
  let floats: UnsafeMutableBufferPointer<Float>
  let source: ViewSource
  let isWritable: Bool
  /// Its handle is kept from collection as long as the view.
  let anchor: (any ScriptObject)?
}

// Said outright: the compiler goes in circles where it has to find out by itself whether the two are Sendable.
@available(*, unavailable) extension LuaValue: Sendable {}
@available(*, unavailable) extension LuaTable: Sendable {}
