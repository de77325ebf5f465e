import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How much memory keys and values may take before work that could begin waits for other work to end.
public struct KVBudget: Sendable {
  public var bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  /// Half of the machine's memory.
  public static let ofMachine = KVBudget(
    bytes: max(Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))) / 2, 1 << 28))

  private static let used = Atomic<Int>(0)

  /// Told of every page: what it takes, and when it goes the negative of that.
  static func count(_ bytes: Int) { used.add(bytes, ordering: .relaxed) }

  /// Whether the sessions of this process, of all engines together, hold more.
  var isExceeded: Bool { Self.used.load(ordering: .relaxed) > bytes }
}
