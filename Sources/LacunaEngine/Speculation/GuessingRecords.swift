import Synchronization

/// What one engine's passes and guesses of one kind have cost and brought, over all sessions that guess so.
package final class GuessingRecord: Sendable {
  private let planner: Mutex<SpeculationPlanner>

  package init(_ planner: SpeculationPlanner) { self.planner = Mutex(planner) }

  package func withPlanner<Result: Sendable>(_ body: (inout SpeculationPlanner) -> Result) -> Result {
    planner.withLock { body(&$0) }
  }
}

/// An engine's records, by where guesses come from: a short answer has room in its account for a draft model's reading of its
/// prompt only thanks to the answers before it.
package final class GuessingRecords: Sendable {
  private struct Entry {
    let lookup: Int?
    let hasDraft: Bool
    weak var draft: Engine?
    let record: GuessingRecord
  }

  private let entries = Mutex<[Entry]>([])

  package init() {}

  package func record(lookup: Int?, draft: Engine?, _ makePlanner: () -> SpeculationPlanner) -> GuessingRecord {
    entries.withLock { entries in
      entries.removeAll { $0.hasDraft && $0.draft == nil }
      if let known = entries.first(where: { $0.lookup == lookup && $0.hasDraft == (draft != nil) && $0.draft === draft }
      ) {
        return known.record
      }
      let record = GuessingRecord(makePlanner())
      entries.append(Entry(lookup: lookup, hasDraft: draft != nil, draft: draft, record: record))
      return record
    }
  }
}
