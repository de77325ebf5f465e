/// A list of module names, class names and "re:" patterns, matched as compressed-tensors does: a name by equality, a
/// class by its own name or an ancestor's, a pattern from the start of the name.
struct ModuleFilter: Sendable {
  private let names: Set<String>
  private let patterns: [NamePattern]
  private let matchesComponents: Bool

  /// The class of a projection and those that it inherits from.
  private static let linearClasses: Set<String> = ["Linear", "Module"]
  private static let maximumPatternCount = 1024

  /// - Parameter matchesComponents: a name also stands for what lies below it and for its last components
  ///   ("lm_head", "mlp.down_proj"), as transformers reads `modules_to_not_convert`.
  init(_ entries: [String], matchesComponents: Bool = false) throws(LacunaError) {
    var patterns: [NamePattern] = []
    for entry in entries where entry.hasPrefix("re:") {
      guard patterns.count < Self.maximumPatternCount else {
        throw LacunaError(
          .unsupported, "quantization_config: expected at most \(Self.maximumPatternCount) patterns, found more")
      }
      patterns.append(try NamePattern(String(entry.dropFirst(3))))
    }
    names = Set(entries.filter { !$0.hasPrefix("re:") && !$0.isEmpty })
    self.patterns = patterns
    self.matchesComponents = matchesComponents
  }

  func matches(linear name: String, budget: inout NamePattern.Budget) throws(LacunaError) -> Bool {
    if names.contains(name) || !names.isDisjoint(with: Self.linearClasses) { return true }
    if matchesComponents, matchesRun(of: name.split(separator: ".")) { return true }
    for pattern in patterns where try pattern.matches(name, budget: &budget) { return true }
    return false
  }

  /// Whether some run of neighbouring components is in the list.
  private func matchesRun(of components: [Substring]) -> Bool {
    for first in components.indices {
      var run = ""
      for component in components[first...] {
        run += run.isEmpty ? String(component) : "." + component
        if names.contains(run) { return true }
      }
    }
    return false
  }
}
