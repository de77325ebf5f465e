import LacunaEngine

/// What `--model` means.
enum ModelChoice {
  /// - Throws: `notFound` with what is near, or with how to fetch it.
  static func resolve(_ word: String) throws(LacunaError) -> ModelRegistry.Entry {
    do {
      return try ModelRegistry().resolve(word)
    } catch {
      if error.code == .notFound, ModelPull.sources.contains(where: { $0.name == word }) {
        throw LacunaError(.notFound, "the model \"\(word)\" is not here yet: `lacuna pull \(word)` fetches it")
      }
      throw error
    }
  }
}

extension CheckpointSource {
  var parameterCount: Int { tensors.reduce(0) { $0 + $1.rows * $1.cols } }
}
