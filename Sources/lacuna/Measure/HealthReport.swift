import LacunaEngine
import LacunaScript

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What `lacuna doctor` finds.
struct HealthReport {
  enum Verdict: String {
    case fine, warning, failure
  }

  struct Check {
    let name: String
    let verdict: Verdict
    let finding: String
    var advice: String?
  }

  let checks: [Check]

  init() {
    checks =
      [Self.version, Self.kernels, Self.memory, Self.lua, Self.share, Self.models, Self.cache] + PluginHealth().checks
  }

  var json: JSON {
    let list = checks.map { check -> JSON in
      [
        "name": .string(check.name), "verdict": .string(check.verdict.rawValue), "finding": .string(check.finding),
        "advice": JSON(check.advice),
      ]
    }
    return ["version": .string(Lacuna.version), "checks": .array(list)]
  }

  private static var version: Check {
    Check(name: "lacuna", verdict: .fine, finding: Lacuna.version)
  }

  private static var kernels: Check {
    let report = KernelReport()
    let tables = report.tables.map { $0.isAvailable ? $0.name : "(\($0.name))" }.joined(separator: " ")
    let features = report.features.joined(separator: " ")
    let isSlow = report.chosen == "scalar"
    let isLowered = report.tables.contains { $0.isAvailable && $0.name != report.chosen }
    return Check(
      name: "kernels", verdict: isSlow ? .warning : .fine,
      finding: "\(report.chosen); tables \(tables); processor: \(features.isEmpty ? "unknown" : features)",
      advice: isSlow
        ? "scalar kernels are a specification and slow; "
          + (isLowered ? "LACUNA_ISA asks for them" : "this processor has no faster ones") : nil)
  }

  private static var memory: Check {
    let pages = Int(sysconf(Int32(_SC_PHYS_PAGES)))
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let (total, overflow) = pages.multipliedReportingOverflow(by: page)
    guard pages > 0, page > 0, !overflow else {
      return Check(name: "memory", verdict: .warning, finding: "unknown")
    }
    let isSmall = total < 9_000_000_000
    return Check(
      name: "memory", verdict: .fine,
      finding: "\(formatBytes(total)), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors",
      advice: isSmall ? "a 7B model in FP8 runs from the page cache and wants about 8 GB; smaller ones are fine" : nil)
  }

  private static var lua: Check {
    let release = LuaLibrary.release
    let bugs = LuaLibrary.knownBugs
    return Check(
      name: "lua", verdict: bugs.isEmpty ? .fine : .warning,
      finding: bugs.isEmpty ? release : "\(release): " + bugs.joined(separator: "; "),
      advice: bugs.isEmpty ? nil : "run only scripts that you trust in this process; Lua 5.4.8 has these mended")
  }

  private static var share: Check {
    guard let share = ModelDirectories.share(), access(share + "/models", R_OK) == 0 else {
      return Check(
        name: "share", verdict: .failure, finding: "\(ModelDirectories.share() ?? "share/lacuna"): no models there",
        advice: "set LACUNA_SHARE to the directory that holds models/, or run `make install`")
    }
    return Check(name: "share", verdict: .fine, finding: share)
  }

  private static var models: Check {
    let entries = ModelRegistry().entries()
    var broken: [String] = []
    for entry in entries {
      do { _ = try CheckpointLoader.open(entry.path) } catch { broken.append("\(entry.name): \(error.message)") }
    }
    if !broken.isEmpty { return Check(name: "models", verdict: .failure, finding: broken.joined(separator: "; ")) }
    // Identities are cheap: both ends of every tensor.
    let names = entries.map { entry in
      let digest = (try? CheckpointLoader.open(entry.path))?.fingerprint ?? ""
      return "\(entry.name) (\(digest.prefix(12)))"
    }.joined(separator: ", ")
    return Check(
      name: "models", verdict: entries.isEmpty ? .warning : .fine, finding: names.isEmpty ? "none" : names)
  }

  private static var cache: Check {
    guard let path = ModelDirectories.cache() else {
      return Check(
        name: "cache", verdict: .warning, finding: "neither XDG_CACHE_HOME nor HOME is set",
        advice: "without one of them `lacuna pull` has nowhere to put a model")
    }
    guard access(path, F_OK) == 0 else {
      return Check(name: "cache", verdict: .fine, finding: "\(path) (not there yet; `lacuna pull` makes it)")
    }
    let isWritable = access(path, W_OK) == 0
    return Check(
      name: "cache", verdict: isWritable ? .fine : .warning, finding: path,
      advice: isWritable ? nil : "cannot be written: `lacuna pull` will fail")
  }
}
