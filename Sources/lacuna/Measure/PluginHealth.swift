import LacunaEngine
import LacunaScript

/// What `lacuna doctor` finds about plugins and the description of the Lua API.
struct PluginHealth {
  typealias Check = HealthReport.Check

  var checks: [Check] {
    do throws(LacunaError) {
      let catalog = try PluginCatalog(try PluginPlaces.search(given: []))
      return [plugins(catalog), capabilities(catalog), editors(catalog), reference]
    } catch {
      return [Check(name: "plugins", verdict: .failure, finding: error.message), reference]
    }
  }

  private func plugins(_ catalog: PluginCatalog) -> Check {
    var finding = "\(catalog.plugins.count) found"
    let (isBroken, isShadowed) = (!catalog.broken.isEmpty, !catalog.shadowed.isEmpty)
    for broken in catalog.broken { finding += "; broken: \(broken.error.message)" }
    for plugin in catalog.shadowed { finding += "; \(plugin.path) is shadowed by another \(plugin.name)" }
    if let untrusted = catalog.untrusted { finding += "; \(untrusted) is not looked into" }
    return Check(
      name: "plugins", verdict: isBroken || isShadowed ? .warning : .fine, finding: finding,
      advice: catalog.untrusted.map { _ in "`lacuna plugin trust` runs this folder's plugins from now on" })
  }

  private func capabilities(_ catalog: PluginCatalog) -> Check {
    var missing: [String] = []
    for plugin in catalog.plugins {
      for finding in (try? CapabilityScan.missing(in: plugin)) ?? [] {
        missing.append("\(plugin.name)/\(finding.place) calls \(finding.call), which needs \"\(finding.capability)\"")
      }
    }
    return Check(
      name: "grants", verdict: missing.isEmpty ? .fine : .warning,
      finding: missing.isEmpty ? "every plugin's calls are in its manifest" : missing.joined(separator: "; "),
      advice: missing.isEmpty ? nil : "such a call is denied: add the word to \"capabilities\" in plugin.json")
  }

  /// A plugin's .luarc.json names the folder of the API's description, which may have moved since.
  private func editors(_ catalog: PluginCatalog) -> Check {
    let stale = catalog.plugins.filter { plugin in
      PluginScaffold.libraries(ofEditorFileIn: plugin.path).contains { !isDirectory($0) }
    }
    return Check(
      name: "editors", verdict: stale.isEmpty ? .fine : .warning,
      finding: stale.isEmpty
        ? "no .luarc.json is out of date"
        : stale.map { "\($0.path)/.luarc.json names a folder that is gone" }
          .joined(separator: "; "),
      advice: stale.isEmpty
        ? nil : "put \"\(ModelDirectories.plugins() ?? "PLUGINS")/meta\" into its workspace.library")
  }

  private var reference: Check {
    do {
      let reference = try APIReference.installed()
      let differences = try reference.differencesFromBindings()
      let stale = differences.undescribed + differences.unbound
      return Check(
        name: "reference", verdict: stale.isEmpty ? .fine : .warning,
        finding: stale.isEmpty
          ? "\(reference.functionCount) functions, as this version has them"
          : "another version's: \(stale.joined(separator: ", "))",
        advice: stale.isEmpty ? nil : "`make install` puts the files of one version side by side")
    } catch {
      return Check(name: "reference", verdict: .warning, finding: ScriptSupport.text(error))
    }
  }
}
