import Foundation
import LacunaScript

extension LuaHost {
  /// Cancels from a thread of its own: a task would wait while other tests keep the pool's threads busy.
  func cancel(after seconds: TimeInterval) {
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: seconds)
      self.cancel()
    }
  }
}
