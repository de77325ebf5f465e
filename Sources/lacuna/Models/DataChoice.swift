import LacunaEngine

/// What `--data` means: a folder, or the name of a data set that ships with Lacuna.
enum DataChoice {
  /// - Throws: `notFound` for a name without a folder.
  static func resolve(_ word: String) throws(LacunaError) -> String {
    if !fileExists(word), ModelRegistry.isSafe(name: word), let share = ModelDirectories.share(),
      isDirectory("\(share)/data/\(word)")
    {
      return "\(share)/data/\(word)"
    }
    return word
  }
}
