/// What the outside world did wrong: a malformed file, an unknown option, a context that is full.
///
/// A message says what, where, what was expected and what was found, for the person who can mend it. Mistakes of
/// the calling code trap instead.
public struct LacunaError: Error, Sendable, CustomStringConvertible {
  /// A stable, open set: compare with `==`, and expect members that you do not know.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ name: String) { description = name }

    /// A file that cannot be opened or read.
    public static let unreadable = Code("unreadable")
    /// A file whose content breaks its format.
    public static let malformed = Code("malformed")
    /// A file that is well formed and that this version cannot run.
    public static let unsupported = Code("unsupported")
    /// A model name, file or directory that does not exist.
    public static let notFound = Code("not_found")
    /// A parameter outside its range, or of the wrong kind.
    public static let invalidArgument = Code("invalid_argument")
    /// More tokens than the model's context holds.
    public static let contextFull = Code("context_full")
    /// Logits or probabilities that are not finite.
    public static let notFinite = Code("not_finite")
    /// Not enough memory, disk or another resource.
    public static let resource = Code("resource")
    /// The caller asked to stop.
    public static let cancelled = Code("cancelled")
  }

  public let code: Code
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// "FILE: FIELD: expected E, found F".
  public init(_ code: Code, file: String, field: String, expected: String, found: String) {
    self.init(code, "\(file): \(field): expected \(expected), found \(found)")
  }

  public var description: String { message }
}
