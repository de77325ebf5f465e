/// From a checkpoint's files to weights that can be run.
package enum CheckpointLoader {
  /// Opens a Hugging Face directory or a GGUF file and validates it.
  ///
  /// - Throws: `notFound`, `unreadable`, `malformed` or `unsupported`, naming file and field.
  package static func open(_ path: String) throws(LacunaError) -> any CheckpointSource {
    if isDirectory(path) { return try HuggingFaceSource(path: path) }
    let file = try MappedFile(path: path)
    let hasMagic = withExtendedLifetime(file) { file.bytes.starts(with: "GGUF".utf8) }
    guard hasMagic || path.hasSuffix(".gguf") else {
      throw LacunaError(
        .unsupported, file: path, field: "format", expected: "a directory with config.json or a GGUF file",
        found: path.hasSuffix(".safetensors") ? "a single safetensors file (name its directory)" : "another file")
    }
    return try GGUFSource.open(path)
  }

  /// - Parameters:
  ///   - choice: `stored` leaves everything mapped that can run as it lies; what must be decoded becomes bf16.
  ///   - quantizesHead: with `.fp8`, whether lm_head is quantized too; a tied embedding stays as it is.
  ///   - progress: called on this thread after each matrix, with 0...1.
  /// - Throws: `malformed` for weights that cannot be quantized; `resource` without memory for the result.
  package static func weights(
    of source: any CheckpointSource, choice: WeightChoice, quantizesHead: Bool,
    progress: (@Sendable (Double) -> Void)?
  ) throws(LacunaError) -> ModelWeights {
    var builder = WeightBuilder(source: source, choice: choice, quantizesHead: quantizesHead, progress: progress)
    return try builder.build()
  }
}
