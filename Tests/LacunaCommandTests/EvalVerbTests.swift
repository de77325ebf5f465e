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
    #expect(Set(found.keys) == ["forget_quality", "model_utility", "profile", "tasks", "truth_ratio"])
    #expect(found["profile"] as? String == "paper" && found["truth_ratio"] as? String == "geometric")
    let quality = try #require(found["forget_quality"] as? [String: Double])
    #expect(Set(quality.keys) == ["p", "D", "k", "n", "m"])
    let reference = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: "\(Command.root)/\(Self.fixtures)/log-figures.json")))
    let expected = try #require(
      (reference as? [String: [String: Any]])?["geometric"]?["forget_quality"] as? [String: Double])
    #expect(quality.keys.allSatisfy { abs((quality[$0] ?? .nan) - (expected[$0] ?? .nan)) < 1e-12 })
    let tasks = try #require(found["tasks"] as? [String: [String: Double]])
    #expect(tasks.count == 4 && tasks["eval_log_forget.json"]?["n"] == 11)
    #expect(tasks["eval_log_forget.json"]?["word_for_word"] == 0)
    let table = try Command.output(["eval", "tofu", "--from-log", "\(Self.fixtures)/log-arrays.json"])
    #expect(table.output.contains("model utility") && table.output.contains("there is no retrained reference"))
    #expect(table.output.contains("word for word"))
    let mixed = try Command.output([
      "eval", "tofu", "--from-log", "\(Self.fixtures)/log-arrays.json", "--reference-log",
      "\(Self.fixtures)/log-arrays.json", "--emulate-optml-8gpu", "--json",
    ]).object()
    #expect((mixed["forget_quality"] as? [String: Double])?["k"] ?? 0 > 0, "rows are missing, others stand twice")
  }

  @Test(
    "what does not go together is refused by name",
    arguments: [
      (["eval", "tofu"], "--data"), (["eval", "tofu", "--from-log", "x", "--out", "y"], "leave out --out"),
      (["eval", "tofu", "--data", "demo", "--resume"], "--resume goes with --out"),
      (["eval", "tofu", "--data", "demo", "--shard", "3/2", "--out", "x"], "shard"),
      (["eval", "tofu", "--data", "demo", "--emulate-optml-8gpu"], "--from-log"),
      (["eval", "membership", "--from-log", "x"], "--from-log is for tofu alone"),
      (["eval", "membership", "--data", "demo", "--max-tokens", "4"], "--max-tokens is for tofu's answers"),
      (["eval", "tofu", "--from-log", "x", "--no-prefix-sharing"], "--no-prefix-sharing is for tofu's answers"),
      (["eval", "membership", "--data", "demo", "--formats", "int3"], "found int3"),
      (["eval", "tofu", "--from-log", "x", "--model", "y"], "leave out --model"),
      (["eval", "tofu", "--from-log", "x", "--precision", "f32"], "leave out --precision"),
      (["eval", "tofu", "--from-log", "x", "--weights", "int4"], "leave out --weights"),
      (["eval", "tofu", "--from-log", "x", "--seed", "1"], "leave out --seed"),
      (["eval", "tofu", "--data", "demo", "--on", "retain"], "--on is for plugins' probes"),
      (["eval", "membership", "--data", "demo", "--profile", "open"], "--profile is for tofu"),
      (["eval", "membership", "--data", "demo", "--truth-ratio", "arithmetic"], "--truth-ratio is for tofu"),
      (["eval", "membership", "--data", "demo", "--reference-log", "x"], "--reference-log is for tofu"),
      (["eval", "membership", "--data", "demo", "--logs", "x"], "--logs is for tofu"),
      (["eval", "membership", "--data", "demo", "--on", ""], "--on: expected names"),
      (["eval", "membership", "--data", "demo", "--on", "forget,forget"], "found forget twice"),
      (["eval", "tofu", "--data", "demo", "--out", ""], "--out: expected a file's name"),
      (
        ["eval", "tofu", "--data", "demo", "--out", "x", "--shard", "1/2", "--reference-log", "x"],
        "give --reference-log to `lacuna report`"
      ),
    ])
  func refusals(arguments: [String], message: String) throws {
    let result = try Command.run(arguments)
    #expect(result.status == 64 && result.errors.contains(message), "\(result.errors)")
  }

  @Test(
    "what a probe cannot do is said before a model is loaded",
    arguments: [
      (["membershp"], "did you mean \"membership\""), (["membership:kk=1"], "no parameter \"kk\""),
      (["membership:k=2"], "expected a number from 0 to 1, found 2"), (["residual-trace"], "needs --original"),
      (["tofu", "membership", "--formats", "int4"], "--formats is for plugins' probes"),
      (["membership", "--on", "forget,none"], "none.json"), (["tofu", "tofu"], "each probe once"),
      (["membership", "membership:k=0.2"], "membership/membership: expected each probe once"),
      (["membership:nonmembers=foo"], "lacuna: \"membership:nonmembers=foo\", column 23: expected a number"),
      (["quantization-recovery:base=\"bf61\""], "\"bf61\""), (["tofu", "--model", "nosuch"], "nosuch"),
      (["membership", "--on", "forget", "--limit", "4", "--shard", "5/5"], "leaves nothing to measure"),
      (
        ["tofu", "--limit", "2", "--reference-log", "Tests/Fixtures/tofu/log-keyed.json"],
        "the run and Tests/Fixtures/tofu/log-keyed.json have 2 and 11 rows"
      ),
    ])
  func probeRefusals(arguments: [String], message: String) throws {
    let path = NSTemporaryDirectory() + "/lacuna-\(UUID().uuidString).sqlite"
    let result = try Command.run(["eval"] + arguments + ["--data", "demo", "--out", path])
    #expect(result.status == 1 && result.errors.contains(message), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: path), "nothing was begun")
  }

  @Test("what can be said is printed before what cannot ends the command")
  func partial() throws {
    let result = try Command.run([
      "eval", "tofu", "membership", "--on", "forget", "--model", "demo-unlearned", "--data", "demo", "--limit", "1",
      "--json",
    ])
    #expect(result.status == 1 && result.errors.contains("expected rows of both kinds"), "\(result.errors)")
    #expect(try result.object()["model_utility"] is Double)
  }

  @Test("weights that were quantized in another way are other weights")
  func quantizedWeights() throws {
    let folder = NSTemporaryDirectory() + "/lacuna-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = try Command.output(["convert", "demo-unlearned", "\(folder)/bf16", "--to", "bf16"])
    func arguments(_ weights: [String], limit: Int) -> [String] {
      ["eval", "extraction-strength", "--model", "\(folder)/bf16", "--data", "demo", "--limit", "\(limit)"] + weights
        + ["--out", "\(folder)/run.sqlite"]
    }
    _ = try Command.output(arguments(["--weights", "fp8"], limit: 1))
    for (weights, found) in [
      (["--weights", "fp8-tensor"], "found fp8-tensor in "),
      (["--weights", "fp8", "--lm-head", "fp8"], ", head fp8"),
    ] {
      let refused = try Command.run(arguments(weights, limit: 2) + ["--resume"])
      #expect(refused.status == 1 && refused.errors.contains("weights: expected fp8 in "), "\(refused.errors)")
      #expect(refused.errors.contains(found), "\(refused.errors)")
    }
    _ = try Command.output(arguments(["--weights", "fp8"], limit: 2) + ["--resume"])
  }

  @Test("a run that Ctrl-C ends says how it goes on, and its report how much there is")
  func interrupted() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-eval-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = folder.appendingPathComponent("run.sqlite").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Command.path))
    process.arguments = ["eval", "tofu", "--model", "demo-unlearned", "--data", "demo", "--threads", "1", "--out", run]
    process.currentDirectoryURL = URL(fileURLWithPath: Command.root)
    let errors = Pipe()
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, errors)
    try process.run()
    for _ in 0..<10_000 {
      let size = (try? FileManager.default.attributesOfItem(atPath: "\(run)-wal")[.size] as? Int) ?? 0
      if size > 60_000 || !process.isRunning { break }
      usleep(2000)
    }
    process.interrupt()
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 130 && said.contains("\(run) holds what was measured; --resume"), "\(said)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["run.sqlite"])
    let report = try Command.output(["report", run]).output
    #expect(report.contains("of 156 rows measured; --resume finishes a run"), "\(report)")
  }

  @Test(
    "a run killed in the middle goes on and gives the same figures as one that was not",
    arguments: [["tofu"], ["refusal-and-gibberish", "leak-at-k:samples=4"]])
  func killed(probes: [String]) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-eval-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func arguments(_ name: String) -> [String] {
      ["eval"] + probes + [
        "--model", "demo-unlearned", "--reference", "demo-retrained", "--data", "demo", "--limit", "12",
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
    for _ in 0..<10_000 {
      let size = (try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int) ?? 0
      if size > 60_000 || !process.isRunning { break }
      usleep(2000)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    let left = try Command.output(["report", folder.appendingPathComponent("killed.sqlite").path, "--csv", "items"])
    // A line for every row and model, and a heading.
    let all = try items(of: "whole.sqlite", in: folder).components(separatedBy: "\r\n").count
    #expect((3..<all).contains(left.output.components(separatedBy: "\r\n").count), "it was in the middle")

    let refused = try Command.run(arguments("killed.sqlite"))
    #expect(refused.status == 1 && refused.errors.contains("--resume"))
    #expect(try Command.output(arguments("killed.sqlite") + ["--resume"]).output == whole.output)
    let report = try Command.output(["report", folder.appendingPathComponent("killed.sqlite").path, "--json"])
    #expect(report.output == whole.output)
    #expect(try items(of: "killed.sqlite", in: folder) == items(of: "whole.sqlite", in: folder))
    guard probes == ["tofu"] else { return }
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
    let half = try Command.output(["merge", path("part2.sqlite"), "--out", path("half.sqlite")])
    #expect(half.errors.contains("half.sqlite: tofu, model: 8 of 20 rows measured"), "\(half.errors)")
    let merge = try Command.output([
      "merge", path("part2.sqlite"), path("part1.sqlite"), "--out", path("merged.sqlite"),
    ])
    #expect(merge.errors.isEmpty)
    #expect(try Command.output(["report", path("merged.sqlite"), "--json"]).output == whole.output)
    #expect(try items(of: "merged.sqlite", in: folder) == items(of: "whole.sqlite", in: folder))

    let taken = try Command.run(["merge", path("part1.sqlite"), "--out", path("merged.sqlite")])
    #expect(taken.status == 1 && taken.errors.contains("merged.sqlite: exists already"), "\(taken.errors)")
    try Data("no run".utf8).write(to: folder.appendingPathComponent("broken.sqlite"))
    let failed = try Command.run(["merge", path("part1.sqlite"), path("broken.sqlite"), "--out", path("none.sqlite")])
    #expect(failed.status == 1 && failed.errors.contains("broken.sqlite: "), "\(failed.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains("none") })
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
    let folderless = try Command.run(["report"] + runs + ["-o", path("no/x.html")])
    #expect(folderless.errors == "lacuna: \(path("no/x.html")): cannot create: No such file or directory\n")

    // Judged by the rules that it was measured by, unless others are asked for.
    _ = try Command.output([
      "eval", "tofu", "--model", "demo-unlearned", "--data", "demo", "--limit", "2", "--profile", "open", "--out",
      path("open.sqlite"),
    ])
    #expect(try Command.output(["report", path("open.sqlite"), "--json"]).object()["profile"] as? String == "open")
    #expect(
      try Command.output(["report", path("open.sqlite")]).output.hasPrefix("profile open, truth ratio geometric"))
    let mixed = ["report", path("a.sqlite"), path("open.sqlite")]
    let refused = try Command.run(mixed)
    #expect(refused.status == 1 && refused.errors.contains("open.sqlite: profile: expected paper"), "\(refused.errors)")
    #expect(try Command.output(mixed + ["--profile", "paper"]).output.hasPrefix("profile paper"))
  }

  @Test("plugins' probes are measured beside tofu, reported without a model, and compared")
  func probes() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lacuna-probes-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    func arguments(_ probes: [String], _ name: String) -> [String] {
      ["eval"] + probes + [
        "--model", "demo-unlearned", "--original", "demo", "--data", "demo", "--limit", "3", "--json", "--out",
        path(name),
      ]
    }
    let all = ["tofu", "extraction-strength", "residual-trace:threshold=0.5"]
    let found = try Command.output(arguments(all, "a.sqlite"))
    let object = try found.object()
    #expect(object["model_utility"] is Double)
    let probes = try #require(object["probes"] as? [[String: Any]])
    // The trace compares with the original, which has none of its own.
    #expect(
      probes.map { "\($0["probe"] ?? "") \($0["role"] ?? "")" } == [
        "extraction-strength/extraction_strength model", "residual-trace/residual_trace model",
        "extraction-strength/extraction_strength original",
      ])
    func strength(_ index: Int) throws -> Double {
      try #require((probes[index]["summary"] as? [String: Double])?["extraction_strength"])
    }
    // The original recites what the unlearned model has lost.
    #expect(try strength(2) == 1 && strength(0) < 0.5)
    #expect(try Command.output(["report", path("a.sqlite"), "--json"]).output == found.output)
    #expect(try Command.output(arguments(all, "a.sqlite") + ["--resume"]).output == found.output)
    #expect(try Command.output(["report", path("a.sqlite")]).output.contains("extraction_strength"))

    _ = try Command.output(arguments(["extraction-strength", "--weights", "int4"], "b.sqlite"))
    let difference = try Command.output(["diff", path("a.sqlite"), path("b.sqlite"), "--json"]).object()
    let series = try #require(difference["probes"] as? [[String: Any]])
    #expect(series.map { $0["rows"] as? Int } == [3, 3])
    let refused = try Command.run(arguments(["extraction-strength", "--weights", "int4"], "a.sqlite") + ["--resume"])
    #expect(refused.status == 1 && refused.errors.contains("weights: expected e4m3 bf16"), "\(refused.errors)")
  }

  @Test("a model is measured in every format, those beside it in the first")
  func formats() throws {
    let result = try Command.output([
      "eval", "quantization-recovery:max_tokens=2", "--formats", "bf16,int4", "--model", "demo-unlearned", "--original",
      "demo", "--data", "demo", "--limit", "2", "--json",
    ]).object()
    let probes = try #require(result["probes"] as? [[String: Any]])
    #expect(
      probes.map { "\($0["role"] ?? "") \($0["format"] ?? "")" } == ["model bf16", "model int4", "original bf16"])
    // Measured from bf16 to the original: neither of the two has a share of its own.
    let recovered = probes.map { ($0["summary"] as? [String: Any])?["recovered"] as? [String: Double] }
    #expect(recovered[0] == nil && recovered[2] == nil)
    #expect(recovered[1]?["probability"] != nil)
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
