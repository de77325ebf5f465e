internal import CLuaBridge
internal import LacunaEngine

/// Reads the values of a tape.
struct TapeReader {
  private let tape: OpaquePointer
  private let state: LuaState
  private let items: UnsafePointer<lb_item>?
  private let count: Int

  init(_ tape: OpaquePointer, _ state: LuaState) {
    self.tape = tape
    self.state = state
    items = lb_tape_items(tape)
    count = lb_tape_count(tape)
  }

  func all() -> [LuaValue] {
    var position = 0
    var values: [LuaValue] = []
    while position < count { values.append(next(&position)) }
    return values
  }

  private func next(_ position: inout Int) -> LuaValue {
    guard let items, position < count else { return .nil }
    let item = items[position]
    position += 1
    switch item.kind {
    case LB_BOOL: return .bool(item.boolean)
    case LB_INTEGER: return .integer(item.integer)
    case LB_NUMBER: return .number(item.number)
    case LB_STRING:
      // A tape that holds empty strings only has no bytes at all.
      guard item.count > 0, let base = lb_tape_bytes(tape) else { return .string("") }
      let bytes = UnsafeRawBufferPointer(start: base + item.offset, count: item.count)
      return .string(String(decoding: bytes, as: UTF8.self))
    case LB_NULL: return .null
    case LB_FUNCTION: return .function(LuaReference(lb_tape_take_function(tape, position - 1), in: state))
    case LB_HANDLE:
      guard let pointer = item.pointer else { return .nil }
      let object = Unmanaged<AnyObject>.fromOpaque(pointer).takeUnretainedValue()
      return (object as? any ScriptObject).map { .object($0) } ?? .nil
    case LB_VEC:
      let floats = item.pointer?.assumingMemoryBound(to: Float.self)
      return .vector(UnsafeBufferPointer(start: floats, count: item.count))
    case LB_FLOATS: return .vec(Array(elements(item, of: Float.self)))
    case LB_SET: return .tokenSet(TokenMask(size: Int(item.type), words: Array(elements(item, of: UInt64.self))))
    case LB_TABLE:
      var table = LuaTable(isMarkedAsArray: item.type != 0)
      table.array.reserveCapacity(item.count)
      for _ in 0..<item.count { table.array.append(next(&position)) }
      while position < count, items[position].kind != LB_END {
        let key = next(&position)
        table.fields.append((key, next(&position)))
      }
      position += 1
      return .table(table)
    default: return .nil
    }
  }

  private func elements<Element>(_ item: lb_item, of type: Element.Type) -> UnsafeBufferPointer<Element> {
    guard item.count > 0, let base = lb_tape_bytes(tape) else { return UnsafeBufferPointer(start: nil, count: 0) }
    let start = UnsafeRawPointer(base + item.offset).assumingMemoryBound(to: type)
    return UnsafeBufferPointer(start: start, count: item.count)
  }
}

/// Appends values to a tape. What finds no memory marks the tape, and Lua raises it.
struct TapeWriter {
  private let tape: OpaquePointer
  private let state: LuaState

  init(_ tape: OpaquePointer, _ state: LuaState) {
    self.tape = tape
    self.state = state
  }

  /// - Throws: for a function or another value of a state that is not the tape's: its reference means something else here.
  func write(_ value: LuaValue) throws {
    switch value {
    case .nil: lb_add_nil(tape)
    case .bool(let value): lb_add_bool(tape, value)
    case .integer(let value): lb_add_integer(tape, value)
    case .number(let value): lb_add_number(tape, value)
    case .string(let text): text.withBytes { lb_add_string(tape, $0, $1) }
    case .null: lb_add_null(tape)
    case .receiver: lb_add_receiver(tape)
    case .function(let reference), .reference(let reference):
      try reference.check(for: state)
      lb_add_ref(tape, reference.ref)
    case .integers(let values): values.withUnsafeBufferPointer { lb_add_integers(tape, $0.baseAddress, $0.count) }
    case .floats(let values): values.withUnsafeBufferPointer { lb_add_floats(tape, $0.baseAddress, $0.count) }
    case .vector(let floats): lb_add_floats(tape, floats.baseAddress, floats.count)
    case .ownVector(let floats, let owner):
      lb_add_vec(tape, floats.baseAddress, floats.count, Unmanaged.passRetained(owner).toOpaque())
    case .object(let object):
      let type = Swift.type(of: object).scriptType
      lb_add_handle(tape, type.number, Unmanaged.passRetained(object as AnyObject).toOpaque())
    case .view(let view):
      let anchor = view.anchor.map { Unmanaged.passUnretained($0 as AnyObject).toOpaque() }
      lb_add_view(tape, view.floats.baseAddress, view.floats.count, view.source.raw, view.isWritable, anchor)
    case .error(let code, let message):
      code.withBytes { code, count in message.withBytes { lb_add_error(tape, code, count, $0, $1) } }
    case .tokenSet(let set): lb_add_set(tape, UInt32(clamping: set.size), set.words)
    case .random(let seed, let stream, let position): lb_add_rng(tape, seed, stream, position)
    case .table(let table):
      lb_begin_table(tape, table.array.count, table.fields.count, table.isMarkedAsArray)
      for element in table.array { try write(element) }
      try write(table.fields)
    case .change(let reference, let fields):
      try reference.check(for: state)
      lb_begin_change(tape, reference.ref)
      try write(fields)
    }
  }

  private func write(_ fields: [(key: LuaValue, value: LuaValue)]) throws {
    for (key, value) in fields {
      try write(key)
      try write(value)
    }
    lb_end_table(tape)
  }
}
