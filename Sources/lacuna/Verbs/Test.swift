import ArgumentParser
import LacunaEngine
import LacunaScript

struct Test: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run tests written in Lua.",
    discussion: """
      A file of tests is called test.lua or NAME_test.lua and returns { ["what is promised"] = function(t) ... end }. \
      `t` has ok, equal, near, raises, filter, draw, and model, which makes a small engine with logits of your own. \
      Tests in a plugin's folder see that plugin first.

        lacuna test plugins/min-p
        lacuna test --format tap .
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case plain, tap, junit
  }

  @Argument(help: "A file or a folder.")
  var path = "."

  @Option(help: "plain, tap or junit.")
  var format: Format = .plain

  @OptionGroup var model: ModelOptions
  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let files = try LuaTestRun.files(at: path)
    guard !files.isEmpty else { throw LacunaError(.notFound, "\(path): no test.lua or NAME_test.lua in it") }
    let run = LuaTestRun(try ScriptSupport.environment(model, seed: 0, plugins: plugins))
    let outcomes = files.flatMap { run.run($0.file, plugin: $0.plugin) }
    var out = StandardOutput()
    try out.write(TestReport(outcomes).text(format))
    try out.flush()
    if outcomes.contains(where: { $0.failure != nil }) { throw ExitCode.failure }
  }
}

extension Plugin {
  struct PluginTest: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "test", abstract: "Run a plugin's tests.")

    @Argument(help: "A plugin's name or folder.")
    var plugin: String

    @OptionGroup var plugins: PluginOptions

    func run() throws {
      let command = try Test.parse([try Plugin.find(plugin, plugins).1.path])
      try command.run()
    }
  }
}

/// What tests came to, in the form that somebody asked for.
private struct TestReport {
  private let outcomes: [LuaTestRun.Outcome]

  init(_ outcomes: [LuaTestRun.Outcome]) { self.outcomes = outcomes }

  func text(_ format: Test.Format) -> String {
    switch format {
    case .plain: plain
    case .tap: tap
    case .junit: junit
    }
  }

  private func name(_ outcome: LuaTestRun.Outcome) -> String { outcome.name ?? "(the file)" }

  private var plain: String {
    var text = ""
    var file = ""
    for outcome in outcomes {
      if outcome.file != file { text += "\(outcome.file)\n" }
      file = outcome.file
      text += "  \(outcome.failure == nil ? "ok  " : "FAIL")  \(name(outcome))\n"
      if let failure = outcome.failure { text += "        \(failure.description)\n" }
    }
    let failed = outcomes.count { $0.failure != nil }
    let time = outcomes.reduce(0) { $0 + $1.milliseconds }
    return text + "\(outcomes.count) tests, \(failed) failed, \(Int(time.rounded())) ms\n"
  }

  /// Test Anything Protocol, version 13.
  private var tap: String {
    var text = "TAP version 13\n1..\(outcomes.count)\n"
    for (index, outcome) in outcomes.enumerated() {
      let title = "\(outcome.file): \(name(outcome))".map { $0 == "#" ? "\\#" : String($0) }.joined()
      text += "\(outcome.failure == nil ? "ok" : "not ok") \(index + 1) - \(title)\n"
      if let failure = outcome.failure {
        text += "  ---\n  message: \(JSON.string(failure.description).text)\n  ...\n"
      }
    }
    return text
  }

  private var junit: String {
    let failed = outcomes.count { $0.failure != nil }
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    text += "<testsuite name=\"lacuna\" tests=\"\(outcomes.count)\" failures=\"\(failed)\">\n"
    for outcome in outcomes {
      let attributes =
        "classname=\"\(Self.escape(outcome.file))\" name=\"\(Self.escape(name(outcome)))\" "
        + "time=\"\(outcome.milliseconds / 1000)\""
      guard let failure = outcome.failure else {
        text += "  <testcase \(attributes)/>\n"
        continue
      }
      text +=
        "  <testcase \(attributes)>\n    <failure message=\"\(Self.escape(failure.description))\"/>\n  </testcase>\n"
    }
    return text + "</testsuite>\n"
  }

  private static func escape(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      // XML 1.0 has no other control characters at all.
      case _ where scalar.value < 0x20: scalar == "\n" || scalar == "\t" ? "&#\(scalar.value);" : "\u{FFFD}"
      default: String(scalar)
      }
    }.joined()
  }
}
