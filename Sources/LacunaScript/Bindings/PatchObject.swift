internal import LacunaEngine

/// A change to a model's inside, as scripts hold it, for sessions to come.
final class PatchObject: ScriptObject {
  static var scriptType: ScriptType { .patch }

  /// As a script gives them: counted from 1, or from the prompt's end.
  enum Positions {
    case all
    /// The prompt's last token and all after it.
    case last
    case list([Int])
  }

  let engine: Engine
  private let patch: Patch
  private let positions: Positions

  init(_ patch: Patch, positions: Positions, engine: Engine) {
    self.patch = patch
    self.positions = positions
    self.engine = engine
  }

  var byteCount: Int { patch.byteCount }

  /// The patch for a session that begins with so many tokens.
  func patch(promptCount: Int) throws -> Patch {
    var patch = patch
    switch positions {
    case .all: patch.positions = .all
    case .last:
      guard promptCount > 0 else {
        throw HostFault.error(
          code: "bad_argument",
          message: "a patch at the positions \"last\" needs the session's prompt in the same table: "
            + "text, messages or tokens")
      }
      patch.positions = .from(promptCount - 1)
    case .list(let list):
      patch.positions = .only(Set(try list.map { try ScriptPositions.index($0, count: promptCount) }))
    }
    return patch
  }
}

/// Positions of tokens as scripts write them: from 1, negative ones from the end.
enum ScriptPositions {
  /// Counted from 0. A positive one may lie beyond the end.
  static func index(_ position: Int, count: Int) throws -> Int {
    let index = position < 0 ? count + position : position - 1
    guard position != 0, index >= 0 else {
      throw HostFault.error(
        code: "bad_argument", message: "positions count from 1, or from -1 backwards: found \(position) of \(count)")
    }
    return index
  }

  /// "all", "last" or a list; nil where the option is absent.
  static func read(_ options: OptionTable, _ name: String) throws -> PatchObject.Positions? {
    switch options[name] {
    case .nil: return nil
    case .string("all"): return .all
    case .string("last"): return .last
    case .table(let table) where table.fields.isEmpty:
      return .list(
        try table.array.map { element in
          guard let position = element.exactInt, position != 0 else {
            throw options.fault(name, "positions from 1, or from -1 backwards", element)
          }
          return position
        })
    case let other: throw options.fault(name, "\"all\", \"last\" or a list of positions", other)
    }
  }

  /// Those of `count` tokens, counted from 0; nil for all.
  static func indexes(_ positions: PatchObject.Positions?, count: Int) throws -> [Int]? {
    switch positions {
    case nil, .all: return nil
    case .last: return [count - 1]
    case .list(let list): return try list.map { try index($0, count: count) }
    }
  }
}
