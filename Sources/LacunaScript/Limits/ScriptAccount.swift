internal import LacunaEngine

/// What a sandboxed script has used of its models: tokens evaluated, and memory of sessions that live.
final class ScriptAccount {
  private let policy: SandboxPolicy
  private var tokens = 0
  private var entries: [Entry] = []

  private var patches: [WeakPatch] = []

  private struct WeakPatch {
    weak var patch: PatchObject?
  }

  private struct Entry {
    weak var session: Session?
    /// Of the session's evaluated tokens, those that `tokens` has.
    var counted: Int
    /// Whether its memory is on this account, and not on that of the state that made it.
    let isOwn: Bool
  }

  /// Which limit was exceeded, in words.
  private(set) var excess: String?
  /// Whether that is the one on what sessions hold.
  private(set) var hasHeldTooMuch = false

  init(_ policy: SandboxPolicy) { self.policy = policy }

  func track(_ session: Session) {
    drop(session)
    entries.removeAll { $0.session == nil }
    entries.append(Entry(session: session, counted: session.evaluatedTotal, isOwn: true))
  }

  /// For a session that goes over to another account, with what it evaluates from then on.
  func drop(_ session: Session) {
    guard let index = entries.firstIndex(where: { $0.session === session }) else { return }
    charge(tokens: session.evaluatedTotal - entries.remove(at: index).counted)
  }

  func track(_ patch: PatchObject) {
    patches.removeAll { $0.patch == nil }
    patches.append(WeakPatch(patch: patch))
  }

  /// For a session that another state made, before this one evaluates it.
  func adopt(_ session: Session) {
    guard !entries.contains(where: { $0.session === session }) else { return }
    entries.append(Entry(session: session, counted: session.evaluatedTotal, isOwn: false))
  }

  /// For tokens that no tracked session evaluates.
  func charge(tokens count: Int) {
    tokens = tokens.addingReportingOverflow(count).overflow ? Int.max : tokens + count
  }

  /// Counts what the sessions have evaluated since, and what they hold and will need for their pending tokens; pages
  /// that forks share count once.
  /// - Returns: whether everything is within its limit.
  func settle() -> Bool {
    var pages: Set<ObjectIdentifier> = []
    var bytes = 0
    for index in entries.indices {
      guard let session = entries[index].session else { continue }
      charge(tokens: session.evaluatedTotal - entries[index].counted)
      entries[index].counted = session.evaluatedTotal
      guard policy.kvBytes != nil, entries[index].isOwn else { continue }
      let fresh = session.keyValuePages.count { pages.insert($0).inserted }
      bytes += (fresh + session.missingPageCount) * session.keyValuePageBytes
      // Every session has logits of its own, whether it was evaluated or not.
      bytes += session.outputBytes
    }
    for entry in patches { bytes += entry.patch?.byteCount ?? 0 }
    if let limit = policy.tokens, tokens > limit {
      excess = excess ?? "token limit of \(limit)"
    } else if let limit = policy.kvBytes, bytes > limit {
      hasHeldTooMuch = excess == nil || hasHeldTooMuch
      excess = excess ?? "limit of \(limit >> 20) MiB of sessions"
    }
    return excess == nil
  }
}
