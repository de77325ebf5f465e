/// Runs a grammar's program over bytes as a deterministic automaton that is built while it is used.
///
/// A state is the set of every way in which the text so far can be read: places in the program, each with its stack.
/// Stacks are shared and interned, so equal states are found and what was worked out once is kept.
final class GrammarAutomaton {
  typealias State = Int32

  static let dead: State = -1
  private static let unknown: State = -2

  /// A stack: what is on top, and the stack below. Stack 0 is empty.
  private struct Frame: Hashable {
    let below: Int32
    /// The instruction to go to, or the head of the loop that is counted.
    let place: Int32
    /// -1 for a place to return to.
    let count: Int32
  }

  private struct Thread: Hashable, Comparable {
    let place: Int32
    let stack: Int32
    static func < (a: Thread, b: Thread) -> Bool { (a.place, a.stack) < (b.place, b.stack) }
  }

  private let program: [GrammarProgram.Instruction]
  private var frames: [Frame] = [Frame(below: 0, place: 0, count: 0)]
  private var frameIndex: [Frame: Int32] = [:]
  private var states: [[Thread]] = []
  private var stateIndex: [[Thread]: State] = [:]
  private var accepting: [Bool] = []
  /// [state, byte class]
  private var moves: [State] = []
  /// Bytes that no instruction tells apart share a class.
  private let classes: [UInt8]
  private let classCount: Int
  /// A byte of each class.
  private let examples: [UInt8]
  private var splits: [Split?] = []
  /// [split]: the group of each class.
  private var splitGroups: [[Int16]] = []
  private var splitIndex: [[Int16]: Int32] = [:]
  private var clamped: [State: State] = [:]

  /// States and frames that one automaton may hold: about 200 MB.
  static let limit = 500_000

  let start: State

  /// - Throws: `invalidArgument` where the grammar is too ambiguous to run.
  init(_ program: GrammarProgram) throws(LacunaError) {
    self.program = program.instructions
    (classes, examples) = Self.byteClasses(program)
    classCount = examples.count
    start = 0
    var work = Closure()
    try close(&work, place: Int32(program.start), stack: 0)
    _ = try intern(work)
  }

  func isAccepting(_ state: State) -> Bool { state >= 0 && accepting[Int(state)] }

  /// Whether nothing may follow.
  func isFinal(_ state: State) -> Bool { state < 0 || states[Int(state)].isEmpty }

  /// - Throws: `invalidArgument` where the automaton outgrows its limit.
  func next(_ state: State, _ byte: UInt8) throws(LacunaError) -> State {
    state < 0 ? Self.dead : try next(state, byteClass: Int(classes[Int(byte)]))
  }

  private func next(_ state: State, byteClass: Int) throws(LacunaError) -> State {
    let index = Int(state) * classCount + byteClass
    if moves[index] == Self.unknown { moves[index] = try target(of: readers(state, byteClass)) }
    return moves[index]
  }

  /// The state's threads that read a byte of the class.
  private func readers(_ state: State, _ byteClass: Int) -> [Thread] {
    states[Int(state)].filter { thread in
      guard case .bytes(let set) = program[Int(thread.place)] else { return false }
      return set.contains(examples[byteClass])
    }
  }

  private func target(of readers: [Thread]) throws(LacunaError) -> State {
    if readers.isEmpty { return Self.dead }
    var work = Closure()
    for thread in readers { try close(&work, place: thread.place + 1, stack: thread.stack) }
    return work.threads.isEmpty && !work.isAccepting ? Self.dead : try intern(work)
  }

  /// How a state tells bytes apart: groups of bytes that lead to the same state.
  struct Split {
    /// The same for states that group bytes in the same way.
    let number: Int32
    /// Where each group leads.
    let targets: [State]
  }

  /// - Throws: as `next`.
  func split(_ state: State) throws(LacunaError) -> Split {
    if let known = splits[Int(state)] { return known }
    var targets: [State] = []
    var groups: [Int16] = []
    // Most bytes are read by the same threads as others.
    var known: [[Thread]: State] = [:]
    for byteClass in 0..<classCount {
      let readers = readers(state, byteClass)
      if known[readers] == nil { known[readers] = try target(of: readers) }
      let target = known[readers]!
      moves[Int(state) * classCount + byteClass] = target
      if target != Self.dead, !targets.contains(target) { targets.append(target) }
      groups.append(Int16(targets.firstIndex(of: target) ?? -1))
    }
    if splitIndex[groups] == nil {
      splitIndex[groups] = Int32(splitGroups.count)
      splitGroups.append(groups)
    }
    let split = Split(number: splitIndex[groups]!, targets: targets)
    splits[Int(state)] = split
    return split
  }

  /// By byte: its group, -1 for a byte that cannot come.
  func groups(ofSplit number: Int32) -> [Int16] { classes.map { splitGroups[Int(number)][Int($0)] } }

  /// A state that allows the same next `reach` bytes: counters far from their bounds are forgotten, so that the two
  /// hundredth character of a string and the first share what was worked out.
  func clamped(_ state: State, reach: Int) throws(LacunaError) -> State {
    guard state >= 0 else { return state }
    if let known = clamped[state] { return known }
    var work = Closure()
    work.isAccepting = accepting[Int(state)]
    for thread in states[Int(state)] {
      let clamped = Thread(place: thread.place, stack: try clampedStack(thread.stack, reach: Int32(reach)))
      if work.visited.insert(clamped).inserted { work.threads.append(clamped) }
    }
    let result = try intern(work)
    clamped[state] = result
    return result
  }

  // MARK: Building states

  private struct Closure {
    var threads: [Thread] = []
    var visited: Set<Thread> = []
    var isAccepting = false
  }

  /// Follows what consumes nothing, and keeps the threads that wait for a byte.
  private func close(_ work: inout Closure, place: Int32, stack: Int32) throws(LacunaError) {
    var pending = [Thread(place: place, stack: stack)]
    while let thread = pending.popLast() {
      guard work.visited.insert(thread).inserted else { continue }
      guard work.visited.count < 100_000 else { throw Self.tooLarge }
      let (place, stack) = (thread.place, thread.stack)
      func go(_ place: Int, _ stack: Int32) { pending.append(Thread(place: Int32(place), stack: stack)) }
      switch program[Int(place)] {
      case .bytes: work.threads.append(thread)
      case .accept: work.isAccepting = true
      case .jump(let target): go(target, stack)
      case .split(let targets): for target in targets { go(target, stack) }
      case .call(let target): go(target, try push(stack, place + 1, -1))
      case .return: go(Int(frames[Int(stack)].place), frames[Int(stack)].below)
      case .count: go(Int(place) + 1, try push(stack, place + 1, 0))
      case .head(let minimum, let maximum, let exit, let bodyMayBeEmpty):
        let count = Int(frames[Int(stack)].count)
        if count >= minimum || bodyMayBeEmpty { go(exit, frames[Int(stack)].below) }
        if maximum.map({ count < $0 }) ?? true { go(Int(place) + 1, stack) }
      case .again(let head):
        guard case .head(let minimum, let maximum, _, _) = program[head] else { preconditionFailure("no loop's head") }
        let count = frames[Int(stack)].count + 1
        go(head, try push(frames[Int(stack)].below, Int32(head), maximum == nil ? min(count, Int32(minimum)) : count))
      }
    }
  }

  private func push(_ below: Int32, _ place: Int32, _ count: Int32) throws(LacunaError) -> Int32 {
    let frame = Frame(below: below, place: place, count: count)
    if let known = frameIndex[frame] { return known }
    guard frames.count < Self.limit else { throw Self.tooLarge }
    frames.append(frame)
    frameIndex[frame] = Int32(frames.count - 1)
    return Int32(frames.count - 1)
  }

  private func intern(_ work: Closure) throws(LacunaError) -> State {
    var threads = work.threads.sorted()
    // Acceptance is part of what a state is.
    if work.isAccepting { threads.append(Thread(place: -1, stack: 0)) }
    if let known = stateIndex[threads] { return known }
    guard states.count < Self.limit else { throw Self.tooLarge }
    let state = State(states.count)
    stateIndex[threads] = state
    if work.isAccepting { threads.removeLast() }
    states.append(threads)
    accepting.append(work.isAccepting)
    moves.append(contentsOf: repeatElement(Self.unknown, count: classCount))
    splits.append(nil)
    return state
  }

  private func clampedStack(_ stack: Int32, reach: Int32) throws(LacunaError) -> Int32 {
    var path: [Frame] = []
    var top = stack
    while top != 0 {
      path.append(frames[Int(top)])
      top = frames[Int(top)].below
    }
    var result: Int32 = 0
    for frame in path.reversed() {
      result = try push(result, frame.place, clampedCount(frame, reach))
    }
    return result
  }

  private func clampedCount(_ frame: Frame, _ reach: Int32) -> Int32 {
    guard frame.count > 0, case .head(let minimum, let maximum, _, false) = program[Int(frame.place)] else {
      return frame.count
    }
    let toMinimum = Int32(clamping: minimum) - frame.count
    if toMinimum > reach { return 0 }
    if toMinimum > 0 { return frame.count }
    guard let maximum else { return Int32(clamping: minimum) }
    return Int32(clamping: maximum) - frame.count > reach ? Int32(clamping: minimum) : frame.count
  }

  /// The class of each byte, and a byte of each class.
  private static func byteClasses(_ program: GrammarProgram) -> ([UInt8], [UInt8]) {
    var sets: Set<ByteSet> = []
    for case .bytes(let set) in program.instructions { sets.insert(set) }
    var index: [[Bool]: UInt8] = [:]
    var examples: [UInt8] = []
    let ordered = Array(sets)
    let classes = (0...255).map { byte -> UInt8 in
      let key = ordered.map { $0.contains(UInt8(byte)) }
      if let known = index[key] { return known }
      // At most 256 bytes, so at most 256 classes.
      let next = UInt8(index.count)
      index[key] = next
      examples.append(UInt8(byte))
      return next
    }
    return (classes, examples)
  }

  private static let tooLarge = LacunaError(
    .invalidArgument, "grammar: it can be read in too many ways at once; make its repetitions less ambiguous")
}
