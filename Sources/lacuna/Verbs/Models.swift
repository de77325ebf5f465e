import ArgumentParser
import LacunaEngine

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The models that --model knows by name.",
    discussion: """
      Models that ship with Lacuna, and those in the model cache ($XDG_CACHE_HOME/lacuna), where `lacuna pull` puts \
      them. A Hugging Face directory or a GGUF file that is put or linked there gets a name too.
      """)

  @Flag(help: "Print a JSON array.")
  var json = false

  func run() throws {
    var out = StandardOutput()
    let models = ModelRegistry().list()
    if json {
      let list = models.map { model -> JSON in
        [
          "name": .string(model.entry.name), "path": .string(model.entry.path),
          "kind": .string(model.entry.kind.rawValue), "stored": .string(model.stored),
          "bytes": .integer(model.byteCount),
        ]
      }
      try out.line(JSON.array(list).text)
    } else {
      let missing = ModelPull.sources.filter { source in !models.contains { $0.entry.name == source.name } }
      let width = (models.map(\.entry.name.count) + missing.map(\.name.count)).max() ?? 0
      for model in models {
        try out.line(
          "\(model.entry.name.padded(width))  \(formatBytes(model.byteCount).aligned(8))  "
            + "\(model.entry.kind.rawValue.padded(7))  \(model.stored)")
        try out.line("\("".padded(width))  \(model.entry.path)")
      }
      for source in missing {
        try out.line(
          "\(source.name.padded(width))  \(formatBytes(source.byteCount).aligned(8))  "
            + "not here yet: lacuna pull \(source.name)")
      }
    }
    try out.flush()
  }
}
