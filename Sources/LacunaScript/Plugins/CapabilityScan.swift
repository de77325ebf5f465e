public import LacunaEngine

/// Looks through a plugin's Lua for calls that its manifest does not grant, before one of them is denied.
///
/// Goes by names alone: `x:logits(` needs what session:logits needs, whatever x is.
public enum CapabilityScan {
  public struct Finding: Sendable {
    /// "init.lua:12".
    public let place: String
    public let call: String
    public let capability: Capability
  }

  /// - Throws: `unreadable`.
  public static func missing(in folder: PluginFolder) throws(LacunaError) -> [Finding] {
    let granted = Set(folder.manifest.capabilities.compactMap { Capability($0) })
    var findings: [Finding] = []
    for file in try PluginFolder.files(of: folder.path)
    where file.hasSuffix(".lua") && !file.hasSuffix("test.lua") {
      let text = String(decoding: try ScriptFile.read("\(folder.path)/\(file)"), as: UTF8.self)
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let code = line.firstRange(of: "--").map { line[..<$0.lowerBound] } ?? line
        for (call, capability) in Capability.calls where !granted.contains(capability) && calls(call, in: code) {
          findings.append(Finding(place: "\(file):\(index + 1)", call: call, capability: capability))
        }
      }
    }
    return findings
  }

  /// Whether ":name" stands there with arguments behind it.
  private static func calls(_ call: String, in code: Substring) -> Bool {
    code.ranges(of: call).contains { range in
      guard let next = code[range.upperBound...].first(where: { $0 != " " }) else { return false }
      return ["(", "{", "\"", "'"].contains(next)
    }
  }
}

extension Capability {
  /// As Lua writes the calls that need one: ":generate", ".forward".
  static let calls: [(call: String, capability: Capability)] = table.map { function, capability in
    let parts = function.split(separator: ":")
    return (parts[0] == "lacuna" ? "lacuna.\(parts[1])" : ":\(parts[1])", capability)
  }.sorted { $0.call < $1.call }
}
