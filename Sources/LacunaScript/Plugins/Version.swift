/// A version as Semantic Versioning orders them, without pre-releases.
public struct Version: Sendable, Comparable, CustomStringConvertible {
  public let major, minor, patch: Int

  init(major: Int, minor: Int, patch: Int) { (self.major, self.minor, self.patch) = (major, minor, patch) }

  /// "1.2.3"; nil for anything else.
  public init?(_ text: String) {
    guard let parts = Self.numbers(text), parts.count == 3 else { return nil }
    self.init(major: parts[0], minor: parts[1], patch: parts[2])
  }

  /// Missing parts are 0.
  init?(short text: String) {
    guard let parts = Self.numbers(text), (1...3).contains(parts.count) else { return nil }
    self.init(major: parts[0], minor: parts.count > 1 ? parts[1] : 0, patch: parts.count > 2 ? parts[2] : 0)
  }

  private static func numbers(_ text: String) -> [Int]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.utf8.allSatisfy { (48...57).contains($0) } ? Int(part) : nil }
    return numbers.count == parts.count ? numbers : nil
  }

  public static func < (a: Version, b: Version) -> Bool {
    (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch)
  }

  public var description: String { "\(major).\(minor).\(patch)" }
}

/// Versions that will do: comparisons that must all hold, apart by blanks. "^1.1" is what may not break 1.1's users.
public struct VersionRange: Sendable, Equatable, CustomStringConvertible {
  private enum Comparison: String, CaseIterable {
    // Longer ones first: they begin like the shorter.
    case atLeast = ">="
    case atMost = "<="
    case above = ">"
    case below = "<"
    case equal = "="
    case compatible = "^"
  }

  public let description: String
  private let bounds: [(comparison: Comparison, version: Version)]

  /// nil where a word is no comparison with a version.
  public init?(_ text: String) {
    var bounds: [(comparison: Comparison, version: Version)] = []
    for word in text.split(separator: " ") {
      guard let comparison = Comparison.allCases.first(where: { word.hasPrefix($0.rawValue) }),
        let version = Version(short: String(word.dropFirst(comparison.rawValue.count)))
      else { return nil }
      bounds.append((comparison, version))
    }
    guard !bounds.isEmpty else { return nil }
    self.bounds = bounds
    description = text
  }

  public func contains(_ version: Version) -> Bool {
    bounds.allSatisfy { bound in
      switch bound.comparison {
      case .atLeast: version >= bound.version
      case .atMost: version <= bound.version
      case .above: version > bound.version
      case .below: version < bound.version
      case .equal: version == bound.version
      // Below 1.0 a minor version may break.
      case .compatible:
        version >= bound.version && version.major == bound.version.major
          && (version.major > 0 || version.minor == bound.version.minor)
      }
    }
  }

  public static func == (a: VersionRange, b: VersionRange) -> Bool { a.description == b.description }
}
