public import LacunaEngine

// The part of a run that is TOFU's: a series a role.

extension ResultStore.Series {
  public static func tofu(_ role: ResultStore.Role) -> Self { Self(probe: "tofu", role: role) }
}

extension ResultStore {
  public func identity(of role: Role) throws(LacunaError) -> RunIdentity? { try identity(of: .tofu(role)) }

  public func records(of role: Role, task: String) throws(LacunaError) -> [Record] {
    try records(of: .tofu(role), task: task)
  }

  public func add(_ records: [Record], role: Role) throws(LacunaError) { try add(records, to: .tofu(role)) }
}

extension TOFUProfile.Name {
  /// The profile that runs were measured by; nil where they do not say.
  /// - Throws: `invalidArgument` where it is not the same.
  public static func recorded(in stores: [ResultStore]) throws(LacunaError) -> Self? {
    var found: (name: Self, file: String)?
    for store in stores {
      for role in ResultStore.Role.allCases {
        guard let name = try store.identity(of: role)?.setting("profile").flatMap(Self.init(rawValue:)) else {
          continue
        }
        guard name == found?.name ?? name else {
          throw LacunaError(
            .invalidArgument, file: store.path, field: "profile",
            expected: "\(found?.name.rawValue ?? ""), as \(found?.file ?? "") has it (--profile chooses for all)",
            found: name.rawValue)
        }
        found = (name, store.path)
      }
    }
    return found?.name
  }
}
