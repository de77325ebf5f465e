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
