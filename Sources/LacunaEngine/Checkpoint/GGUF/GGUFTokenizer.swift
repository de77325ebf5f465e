/// From a GGUF file's vocabulary to a tokenizer that runs.
enum GGUFTokenizer {
  static func make(_ file: GGUFFile, vocabularySize: Int) throws(LacunaError) -> (any Tokenizer)? {
    guard try GGUFVocabulary.read(file, vocabularySize: vocabularySize) != nil else { return nil }
    throw LacunaError(.unsupported, "\(file.path): tokenizers from GGUF are not wired yet")
  }
}
