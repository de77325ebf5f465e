import LacunaEngine
import LacunaScript
import LacunaTestSupport
import Testing

@Suite("Plugin manifests")
struct ManifestTests {
  private func read(_ json: String, name: String = "my-plugin") throws -> PluginManifest {
    let directory = try TemporaryDirectory()
    try directory.write(json, to: "\(name)/plugin.json")
    return try PluginManifest(folder: "\(directory.path)/\(name)")
  }

  private func message(_ json: String) -> String {
    do {
      _ = try read(json)
      return "none"
    } catch { return (error as? LacunaError)?.message ?? "\(error)" }
  }

  private static let head =
    "\"name\": \"my-plugin\", \"version\": \"0.2.0\", \"api\": 1, \"provides\": [\"sampler:cut\"]"

  @Test("every field is read")
  func everything() throws {
    let manifest = try read(
      """
      { "name": "my-plugin", "version": "0.2.0", "api": 1, "runtime": ">=0.1 <0.5", "entry": "main.lua",
        "license": "MIT", "description": "about", "provides": ["probe:truth_ratio", "hooks"],
        "requires": { "stats-extra": "^1.1" }, "capabilities": ["model.score", "fs.read:data/tofu", "env:HOME"],
        "limits": { "memory_mb": 64, "kv_mb": 2048, "step_ms": 20, "call_ms": 600000, "tokens": 200000 } }
      """)
    #expect(manifest.name == "my-plugin")
    #expect(manifest.version.description == "0.2.0")
    #expect(manifest.entry == "main.lua")
    #expect(manifest.provides.map(\.description) == ["probe:truth_ratio", "hooks"])
    #expect(manifest.requires["stats-extra"]?.description == "^1.1")
    #expect(manifest.capabilities.count == 3)
    #expect(manifest.limits.callMS == 600_000)
    #expect(manifest.limits.tokens == 200_000)
  }

  @Test(
    "what is wrong is named, with the file, the field and what was near",
    arguments: [
      ("{ \(head), \"licence\": \"MIT\" }", "unknown field \"licence\" (did you mean \"license\"?)"),
      ("{ \(head), \"capabilities\": [\"model.scores\"] }", "(did you mean \"model.score\"?)"),
      ("{ \(head), \"capabilities\": [\"fs.read:../..\"] }", "capabilities: expected"),
      ("{ \(head), \"limits\": { \"memory\": 1 } }", "(did you mean \"memory_mb\"?)"),
      ("{ \(head), \"limits\": { \"step_ms\": 0 } }", "limits.step_ms: expected an integer from 1"),
      ("{ \(head), \"entry\": \"../evil.lua\" }", "entry: expected a file inside the plugin's folder"),
      ("{ \(head), \"entry\": \"/etc/passwd\" }", "entry: expected a file inside the plugin's folder"),
      ("{ \(head), \"entry\": \".h.lua\" }", "entry: expected a file inside the plugin's folder that is not hidden"),
      (
        "{ \(head), \"entry\": \"a/.b/c.lua\" }", "entry: expected a file inside the plugin's folder that is not hidden"
      ),
      ("{ \(head), \"runtime\": \">=99\" }", "runtime: expected a range that holds this version"),
      ("{ \(head), \"runtime\": \"about 1\" }", "runtime: expected a range of versions"),
      ("{ \"name\": \"my-plugin\", \"version\": \"1.0\", \"api\": 1 }", "version: expected MAJOR.MINOR.PATCH"),
      ("{ \"name\": \"my-plugin\", \"version\": \"1.0.0\" }", "api: expected"),
      ("{ \"name\": \"my-plugin\", \"version\": \"1.0.0\", \"api\": 99 }", "api: expected at most 1"),
      ("{ \"name\": \"My Plugin\", \"version\": \"1.0.0\", \"api\": 1 }", "name: expected lower-case words"),
      ("{ \"name\": \"other\", \"version\": \"1.0.0\", \"api\": 1, \"provides\": [\"hooks\"] }", "the folder's name"),
      (
        "{ \"name\": \"my-plugin\", \"version\": \"1.0.0\", \"api\": 1 }", "provides: expected what the plugin provides"
      ),
      (
        "{ \"name\": \"my-plugin\", \"version\": \"1.0.0\", \"api\": 1, \"provides\": [\"samplr:x\"] }",
        "(did you mean \"sampler\"?)"
      ),
      ("[]", "expected a JSON object"),
    ])
  func mistakes(_ json: String, _ expected: String) {
    let message = message(json)
    #expect(message.contains("my-plugin/plugin.json"))
    #expect(message.contains(expected), "\(message)")
  }

  @Test(
    "ranges hold the versions that they say",
    arguments: [
      (">=0.3 <0.5", "0.4.9", true), (">=0.3 <0.5", "0.5.0", false), ("^1.1", "1.9.0", true), ("^1.1", "2.0.0", false),
      ("^1.1", "1.0.9", false), ("^0.2", "0.2.7", true), ("^0.2", "0.3.0", false), ("=1.2.3", "1.2.3", true),
      (">1", "1.0.0", false), ("<=2", "2.0.0", true),
    ])
  func ranges(_ range: String, _ version: String, _ holds: Bool) throws {
    let version = try #require(Version(version))
    #expect(try #require(VersionRange(range)).contains(version) == holds)
  }

  @Test("text that is no range or version is none", arguments: ["", ">=", "1.x", ">=1.2.3.4", "~1"])
  func noRange(_ text: String) {
    #expect(VersionRange(text) == nil)
    #expect(Version(text) == nil)
  }
}
