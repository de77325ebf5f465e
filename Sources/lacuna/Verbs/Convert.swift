import ArgumentParser
import LacunaEngine

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a checkpoint as a Hugging Face directory in FP8 or bfloat16.",
    discussion: """
        lacuna convert smollm2 smollm2-fp8 --to fp8

      The source is a known name, a directory or a GGUF file. FP8 is written as compressed-tensors stores it, one \
      scale an output channel, which Lacuna and transformers both load. Memory stays at a few megabytes whatever the \
      model's size, and the directory appears under its name only when it is whole.
      """)

  @Argument(help: "What to convert.")
  var source: String

  @Argument(help: "The directory to make; it must not exist.")
  var destination: String

  @Option(help: ArgumentHelp("The type to write.", valueName: "type"))
  var to: Converter.Target

  @Option(
    help: ArgumentHelp(
      "With --to fp8: the output head in bf16 or in fp8; a head that is tied stays with the embedding, in bf16.",
      valueName: "type"))
  var lmHead: ModelOptions.HeadType = .bf16

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let entry = try ModelChoice.resolve(source)
    let checkpoint = try CheckpointLoader.open(entry.path)
    Interrupt.stopBetweenTokens()
    let progress = ProgressLine("converting \(entry.name)")
    let summary = try Converter.convert(
      source: checkpoint, to: destination, type: to, quantizesHead: lmHead == .fp8,
      progress: { progress.update($0) }, isCancelled: { Interrupt.isRequested })
    progress.finish()

    var out = StandardOutput()
    if json {
      let record: JSON = [
        "path": .string(summary.path), "bytes": .integer(summary.byteCount),
        "files": .array(summary.fileNames.map(JSON.string)),
      ]
      try out.line(record.text)
    } else {
      try out.line("\(summary.path): \(summary.fileNames.count) files, \(formatBytes(summary.byteCount))")
    }
    try out.flush()
  }
}

extension Converter.Target: ExpressibleByArgument {}
