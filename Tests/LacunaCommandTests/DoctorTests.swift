import Foundation
import LacunaTestSupport
import Testing

@Suite("What doctor finds")
struct DoctorTests {
  /// Each check's verdict and finding, by name.
  private func examine(
    data: String, environment: [String: String] = [:]
  ) throws -> [String: (verdict: String, finding: String)] {
    let result = try Command.run(
      ["doctor", "--json"], environment: environment.merging(["XDG_DATA_HOME": data]) { $1 })
    let checks = try #require(try result.object()["checks"] as? [[String: Any]])
    return Dictionary(
      uniqueKeysWithValues: checks.compactMap { check in
        guard let name = check["name"] as? String, let verdict = check["verdict"] as? String else { return nil }
        return (name, (verdict, check["finding"] as? String ?? ""))
      })
  }

  @Test("as shipped, plugins, their grants, editors and the reference are fine, and models have an identity")
  func shipped() throws {
    let home = try TemporaryDirectory()
    let checks = try examine(data: home.path)
    for name in ["plugins", "grants", "editors", "reference"] {
      #expect(checks[name]?.verdict == "fine", "\(name): \(checks[name]?.finding ?? "missing")")
    }
    #expect(try #require(checks["models"]).finding.contains(/demo \([0-9a-f]{12}\)/))
    #expect(try #require(checks["lua"]).finding.hasPrefix("Lua 5.4."))
  }

  @Test("LACUNA_ISA by name chooses any table that this machine can run")
  func choosesTables() throws {
    let home = try TemporaryDirectory()
    // "avx2; tables scalar (neon) avx2 (avx512) ...; processor: ..."
    let finding = try #require(try examine(data: home.path)["kernels"]).finding
    let tables = try #require(finding.firstMatch(of: /; tables ([^;]*);/)).output.1.split(separator: " ")
    let available = tables.filter { !$0.hasPrefix("(") }
    #expect(available.contains("scalar"))
    for table in available {
      let chosen = try examine(data: home.path, environment: ["LACUNA_ISA": String(table)])["kernels"]
      #expect(chosen?.finding.hasPrefix("\(table); ") == true, "\(table): \(chosen?.finding ?? "missing")")
    }
  }

  #if os(Linux) && arch(x86_64)
    @Test("without LACUNA_ISA Intel passes over avx512bf16, and others over avx512fp16")
    func choosesByProcessor() throws {
      let home = try TemporaryDirectory()
      let finding = try #require(try examine(data: home.path, environment: ["LACUNA_ISA": ""])["kernels"]).finding
      let tables = try #require(finding.firstMatch(of: /; tables ([^;]*);/)).output.1.split(separator: " ")
      let processor = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
      let slow = processor.contains("GenuineIntel") ? "avx512bf16" : "avx512fp16"
      let expected = try #require(tables.last { !$0.hasPrefix("(") && $0 != slow })
      #expect(finding.hasPrefix("\(expected); "), "\(finding)")
    }
  #endif

  @Test("a broken plugin, a shadowed one, a call that is not granted and an editor's file out of date are named")
  func troubles() throws {
    let home = try TemporaryDirectory()
    let plugins = "lacuna/plugins"
    func manifest(_ name: String) -> String {
      """
      { "name": "\(name)", "version": "1.0.0", "api": 1, "description": "of a test", "provides": ["tool:a"] }
      """
    }
    try home.write("{ \"name\": 7 }", to: "\(plugins)/bent/plugin.json")
    try home.write(manifest("greedy-tool"), to: "\(plugins)/greedy-tool/plugin.json")
    try home.write(
      "-- s:score {}\nlocal function f(s)\n  return s:logits (), s:text()\nend\n", to: "\(plugins)/greedy-tool/init.lua"
    )
    try home.write(
      "{ \"workspace.library\": [\"\(home.path)/gone\"] }", to: "\(plugins)/greedy-tool/.luarc.json")
    try home.write(manifest("min-p"), to: "\(plugins)/min-p/plugin.json")
    let checks = try examine(data: home.path)
    #expect(checks["plugins"]?.verdict == "warning")
    let finding = try #require(checks["plugins"]).finding
    #expect(finding.contains("broken: ") && finding.contains("bent/plugin.json"))
    #expect(finding.contains("is shadowed by another min-p"))
    #expect(
      checks["grants"]?.finding == "greedy-tool/init.lua:3 calls :logits, which needs \"model.logits\"",
      "\(checks["grants"]?.finding ?? "")")
    #expect(try #require(checks["editors"]).finding.contains("greedy-tool/.luarc.json names a folder that is gone"))
  }
}
