import Foundation
import Testing

@Suite struct EvalVerbTests {
  private static let fixtures = "Tests/Fixtures/tofu"

  @Test("published logs are judged with no model, in the promised shape")
  func logs() throws {
    let result = try Command.output([
      "eval", "tofu", "--from-log", "\(Self.fixtures)/log-arrays.json", "--reference-log",
      "\(Self.fixtures)/log-keyed.json", "--json",
    ])
    let found = try result.object()
    #expect(Set(found.keys) == ["forget_quality", "model_utility", "tasks"])
    let quality = try #require(found["forget_quality"] as? [String: Double])
    #expect(Set(quality.keys) == ["p", "D", "k", "n", "m"])
    let reference = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: "\(Command.root)/\(Self.fixtures)/log-figures.json")))
    let expected = try #require(
      (reference as? [String: [String: Any]])?["geometric"]?["forget_quality"] as? [String: Double])
    #expect(quality.keys.allSatisfy { abs((quality[$0] ?? .nan) - (expected[$0] ?? .nan)) < 1e-12 })
    let tasks = try #require(found["tasks"] as? [String: [String: Double]])
    #expect(tasks.count == 4 && tasks["eval_log_forget.json"]?["n"] == 11)
    let table = try Command.output(["eval", "tofu", "--from-log", "\(Self.fixtures)/log-arrays.json"])
    #expect(table.output.contains("model utility") && table.output.contains("needs a reference"))
  }

  @Test(
    "what does not go together is refused by name",
    arguments: [
      (["eval", "tofu"], "--data"), (["eval", "tofu", "--from-log", "x", "--out", "y"], "leave out --out"),
      (["eval", "tofu", "--data", "demo", "--resume"], "--resume goes with --out"),
      (["eval", "tofu", "--data", "demo", "--shard", "3/2", "--out", "x"], "shard"),
      (["eval", "tofu", "--data", "demo", "--emulate-optml-8gpu"], "--from-log"),
    ])
  func refusals(arguments: [String], message: String) throws {
    let result = try Command.run(arguments)
    #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
  }

  @Test("a run killed in the middle goes on and gives the same figures as one that was not")
  func killed() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-eval-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func arguments(_ name: String) -> [String] {
      [
        "eval", "tofu", "--model", "demo-unlearned", "--reference", "demo-retrained", "--data", "demo", "--limit", "12",
        "--threads", "1", "--json", "--out", folder.appendingPathComponent(name).path,
      ]
    }
    let whole = try Command.output(arguments("whole.sqlite"))

    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Command.path))
    process.arguments = arguments("killed.sqlite")
    process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    // As soon as a few records are in the log beside the file.
    let log = folder.appendingPathComponent("killed.sqlite-wal").path
    for _ in 0..<2000 {
      let size = (try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int) ?? 0
      if size > 60_000 || !process.isRunning { break }
      usleep(2000)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    let left = try Command.output(["report", folder.appendingPathComponent("killed.sqlite").path, "--csv", "items"])
    // Twelve rows of four tasks for each of two models, and a heading.
    #expect((2..<97).contains(left.output.components(separatedBy: "\r\n").count - 1), "it was in the middle")

    let refused = try Command.run(arguments("killed.sqlite"))
    #expect(refused.status == 1 && refused.errors.contains("--resume"))
    #expect(try Command.output(arguments("killed.sqlite") + ["--resume"]).output == whole.output)
    let report = try Command.output(["report", folder.appendingPathComponent("killed.sqlite").path, "--json"])
    #expect(report.output == whole.output)
    #expect(try items(of: "killed.sqlite", in: folder) == items(of: "whole.sqlite", in: folder))
    let difference = try Command.output([
      "diff", folder.appendingPathComponent("killed.sqlite").path, folder.appendingPathComponent("whole.sqlite").path,
      "--json",
    ]).object()
    for (_, tasks) in difference {
      for (_, task) in try #require(tasks as? [String: [String: Double]]) {
        #expect(task["rms"] == 0 && task["equal_texts"] == task["texts"])
      }
    }
  }

  /// Everything that a run measured, without the name of its file.
  private func items(of name: String, in folder: URL) throws -> String {
    let path = folder.appendingPathComponent(name).path
    return try Command.output(["report", path, "--csv", "items"]).output.replacingOccurrences(of: path, with: "run")
  }

  @Test("parts that were measured apart merge to the run that was measured at once")
  func shards() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-eval-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    let common = [
      "eval", "tofu", "--model", "demo-unlearned", "--data", "demo", "--limit", "5", "--threads", "1", "--json",
      "--out",
    ]
    let whole = try Command.output(common + [path("whole.sqlite")])
    for part in 1...2 { _ = try Command.output(common + [path("part\(part).sqlite"), "--shard", "\(part)/2"]) }
    _ = try Command.output(["merge", path("part2.sqlite"), path("part1.sqlite"), "--out", path("merged.sqlite")])
    #expect(try Command.output(["report", path("merged.sqlite"), "--json"]).output == whole.output)
    #expect(try items(of: "merged.sqlite", in: folder) == items(of: "whole.sqlite", in: folder))
  }

  @Test("a report is written as it is asked for, and no run is changed by it")
  func reports() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-report-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    for (name, model) in [("a.sqlite", "demo-unlearned"), ("b.sqlite", "demo-retrained")] {
      _ = try Command.output([
        "eval", "tofu", "--model", model, "--reference", "demo-retrained", "--data", "demo", "--limit", "2",
        "--threads", "1",
        "--out", path(name),
      ])
    }
    let runs = [path("a.sqlite"), path("b.sqlite")]
    #expect(try Command.output(["report"] + runs + ["-o", path("page.html")]).output.isEmpty)
    let page = try String(contentsOfFile: path("page.html"), encoding: .utf8)
    let isWhole = page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n")
    #expect(isWhole)
    for form in [["--text"], ["--json"], ["--csv", "items"], ["--csv", "figures"]] {
      let printed = try Command.output(["report"] + runs + form).output
      _ = try Command.output(["report"] + runs + form + ["-o", path("out")])
      #expect(try String(contentsOfFile: path("out"), encoding: .utf8) == printed && !printed.isEmpty)
    }
    for (arguments, message) in [
      (["-o", path("x.pdf")], ".html"), (["--json", "--csv", "items"], "--json and --csv"),
      (["--logs", path("l")], "one run"),
    ] {
      let result = try Command.run(["report"] + runs + arguments)
      #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
    }
    let missing = try Command.run(["report", path("none.sqlite"), "-o", path("none.html")])
    #expect(missing.status == 1 && !FileManager.default.fileExists(atPath: path("none.html")))
  }

  @Test("the demo's data are shown and copied")
  func data() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-data-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try Command.output(["data", "demo"]).output.contains("forget10_perturbed.json"))
    let copied = try Command.output(["data", "demo", "--out", folder.path, "--json"]).object()
    let rows = try #require(copied["rows"] as? [String: Int])
    #expect(rows["full.json"] == 400 && rows["retain_perturbed.json"] == 60)
    let again = try Command.output(["data", folder.path, "--json"]).object()
    #expect(try #require(again["rows"] as? [String: Int]) == rows)
  }
}
