internal import CLuaBridge

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A thread with a stack that Lua's own recursion, with callbacks of the host between, cannot exhaust: Lua stops at 200
/// nested C calls, and each may have frames of the host under it.
package enum ScriptThread {
  static let stackBytes = 16 << 20
  static let leastRoom = 1 << 20

  /// Whether the thread that asks has the stack that a state needs.
  static var hasRoom: Bool {
    let left = lb_stack_left()
    return left == 0 || left >= leastRoom
  }

  private final class Job {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  /// Runs `body` on a thread of its own and waits for it.
  package static func run<Value>(_ body: @escaping () -> Value) -> Value {
    var value: Value?
    withoutActuallyEscaping({ value = body() }) { escaping in
      let job = Unmanaged.passRetained(Job(escaping))
      var attributes = pthread_attr_t()
      pthread_attr_init(&attributes)
      pthread_attr_setstacksize(&attributes, stackBytes)
      #if canImport(Darwin)
        var thread: pthread_t?
      #else
        var thread = pthread_t()
      #endif
      let status = pthread_create(
        &thread, &attributes,
        { context in
          #if canImport(Darwin)
            let job = Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
          #else
            let job = Unmanaged<Job>.fromOpaque(context!).takeRetainedValue()
          #endif
          job.body()
          return nil
        }, job.toOpaque())
      pthread_attr_destroy(&attributes)
      precondition(status == 0, "cannot start a thread for the script: \(String(cString: strerror(status)))")
      #if canImport(Darwin)
        if let thread { pthread_join(thread, nil) }
      #else
        pthread_join(thread, nil)
      #endif
    }
    guard let value else { preconditionFailure("the script's thread ended early") }
    return value
  }
}
