/// From a checkpoint's files to weights that can be run.
package enum CheckpointLoader {
  /// Opens a Hugging Face directory or a GGUF file and validates it.
  package static func open(_ path: String) throws(LacunaError) -> any CheckpointSource { fatalError("in progress") }

  /// - Parameters:
  ///   - choice: `stored` leaves everything mapped that can run as it lies.
  ///   - quantizesHead: with `.fp8`, whether lm_head is quantized too.
  package static func weights(
    of source: any CheckpointSource, choice: WeightChoice, quantizesHead: Bool,
    progress: (@Sendable (Double) -> Void)?
  ) throws(LacunaError) -> ModelWeights { fatalError("in progress") }
}
