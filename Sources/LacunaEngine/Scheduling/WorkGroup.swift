/// Many pieces of work side by side: what all of them wait for goes into passes together.
///
/// Items begin in the order of their indices, as many at a time as the width says. Each goes on as soon as what it waited
/// for is there, whatever the others wait for. One that fails leaves the others alone.
public final class WorkGroup: Work {
  private final class Member {
    let index: Int
    let work: any Work
    var waiting: [PassRequest] = []

    init(_ index: Int, _ work: any Work) {
      self.index = index
      self.work = work
    }
  }

  private let count: Int
  private let width: Int
  private let budget: KVBudget
  private let start: (Int) throws -> any Work
  private let finish: (Int, (any Error)?) throws -> Void
  private var next = 0
  /// By index.
  private var members: [Member] = []

  /// - Parameters:
  ///   - count: of items.
  ///   - width: how many are under way at a time; 1 or more.
  ///   - budget: while keys and values take more than this, no item begins and only the first goes on.
  ///   - start: makes the work of an item.
  ///   - finish: told of each item once, with the error that it failed with.
  public init(
    count: Int, width: Int, budget: KVBudget = .ofMachine, start: @escaping (Int) throws -> any Work,
    finish: @escaping (Int, (any Error)?) throws -> Void
  ) {
    precondition(width >= 1, "a group of width \(width)")
    self.count = count
    self.width = width
    self.budget = budget
    self.start = start
    self.finish = finish
  }

  /// - Throws: what `finish` throws; items do not make it throw.
  public func advance() throws -> [PassRequest]? {
    for member in members where member.waiting.contains(where: \.isDone) { try goOn(member) }
    while members.count < width, next < count, members.isEmpty || !budget.isExceeded {
      let index = next
      next += 1
      switch Result(catching: { try start(index) }) {
      case .success(let work):
        members.append(Member(index, work))
        try goOn(members[members.count - 1])
      case .failure(let error): try finish(index, error)
      }
    }
    guard let first = members.first else { return nil }
    // The first goes on whatever it takes, so that the others' turn comes.
    return budget.isExceeded ? first.waiting : members.flatMap(\.waiting)
  }

  private func goOn(_ member: Member) throws {
    let result = Result { try member.work.advance() }
    if case .success(let waiting?) = result {
      member.waiting = waiting
      return
    }
    members.removeAll { $0 === member }
    if case .failure(let error) = result { try finish(member.index, error) } else { try finish(member.index, nil) }
  }
}
