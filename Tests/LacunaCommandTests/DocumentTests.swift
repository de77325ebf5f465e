import Foundation
import LacunaTestSupport
import Testing

/// Every code block of the documents, run as a reader would: a document's blocks in their order, in one folder.
@Suite("Documents")
struct DocumentTests {
  /// Blocks that are not run, by document and beginning of the command.
  private static let skipped: [(document: String, command: String, reason: String)] = [
    ("README.md", "make", "builds what this test is part of; CI runs it"),
    ("README.md", "lacuna pull", "fetches 270 MB"),
    ("docs/evaluation.md", "lacuna eval extraction-strength", "measures a data set with three models: minutes"),
    ("docs/evaluation.md", "lacuna report", "shows runs of models that are not here"),
    ("plugins/attacks/README.md", "lacuna eval", "measures a data set with two models: minutes"),
    ("plugins/kl-divergence/README.md", "lacuna eval", "compares models that are not here"),
    ("plugins/leak-at-k/README.md", "lacuna eval", "draws many answers to every question: minutes"),
    ("plugins/quantization-recovery/README.md", "lacuna eval", "measures a data set in six formats: minutes"),
    ("plugins/steering-recovery/README.md", "lacuna eval", "compares models that are not here"),
  ]

  /// Documents whose blocks say what one model does, which the demo is not.
  private static let otherwiseRun = ["docs/recipes.md": "scripts/check-recipes"]

  static let documents: [String] = {
    func files(_ folder: String) -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: "\(Command.root)/\(folder)")) ?? [])
        .filter { $0.hasSuffix(".md") }.map { "\(folder)/\($0)" }
    }
    let plugins = (try? FileManager.default.contentsOfDirectory(atPath: "\(Command.root)/plugins")) ?? []
    return
      (["README.md"] + files("docs") + files("docs/reference") + files("plugins")
      + plugins.map { "plugins/\($0)/README.md" })
      .filter { FileManager.default.fileExists(atPath: "\(Command.root)/\($0)") && otherwiseRun[$0] == nil }.sorted()
  }()

  @Test("every block of code runs, and prints what the document shows", arguments: documents)
  func blocks(_ document: String) throws {
    let blocks = try DocumentBlock.all(in: document)
    guard blocks.contains(where: { $0.kind != .text }) else { return }
    let commands = Self.commands(in: blocks)
    let beginning = blocks.first { $0.kind == .lua && $0.file == nil && Self.isWhole($0) }?.text ?? ""
    let desk = try Desk()
    for block in blocks {
      if let file = block.file {
        try desk.save(block.text, as: file)
        let name = try #require(file.split(separator: "/").first)
        #expect(commands.contains { $0.words.contains(name) }, "\(block.testDescription): no command uses \(file)")
      }
      switch block.kind {
      case .lua where block.file != nil: break
      case .lua: try run(lua: block, behind: Self.prelude + beginning, on: desk)
      case .json:
        #expect(throws: Never.self, "\(block.testDescription)") {
          try JSONSerialization.jsonObject(with: Data(block.text.utf8))
        }
      case .shell, .console:
        for command in DocumentCommand.all(of: block) where !Self.isSkipped(document, command.words) {
          try run(command, of: block, on: desk)
        }
      case .text: break
      }
    }
  }

  @Test("a reason not to run a block belongs to a block that is there")
  func reasons() throws {
    for (document, script) in Self.otherwiseRun {
      #expect(FileManager.default.fileExists(atPath: "\(Command.root)/\(document)"))
      #expect(try String(contentsOfFile: "\(Command.root)/\(script)", encoding: .utf8).contains(document))
    }
    for skip in Self.skipped {
      let commands = Self.commands(in: try DocumentBlock.all(in: skip.document))
      #expect(commands.contains { $0.words.hasPrefix(skip.command) }, "\(skip.document): \(skip.command)")
    }
  }

  private static func commands(in blocks: [DocumentBlock]) -> [DocumentCommand] {
    blocks.filter { [.shell, .console].contains($0.kind) }.flatMap { DocumentCommand.all(of: $0) }
  }

  private static func isSkipped(_ document: String, _ command: String) -> Bool {
    skipped.contains { $0.document == document && command.hasPrefix($0.command) }
  }

  /// A block that is saved under a name is run by a command that mentions it. Others are tests where they look like some,
  /// else scripts; a fragment, which does not begin with `require`, stands behind the document's first script.
  private func run(lua block: DocumentBlock, behind beginning: String, on desk: Desk) throws {
    #expect(!block.text.contains("lacuna.plugin {"), "\(block.testDescription): name the file that a command loads")
    let isTest = block.text.contains("= function(t)")
    let name = isTest ? "block_test.lua" : "block.lua"
    try desk.save((isTest || Self.isWhole(block) ? "" : beginning) + block.text, as: name)
    let result = try desk.run("lacuna \(isTest ? "test" : "run") \(name)")
    #expect(result.status == 0, "\(block.testDescription): \(result.output)")
  }

  private static func isWhole(_ block: DocumentBlock) -> Bool { block.text.contains("require \"lacuna\"\n") }

  /// The names that the texts speak of.
  private static let prelude =
    "local lacuna <const> = require 'lacuna'; local model <const> = assert(lacuna.model()); "
    + "local question <const> = { { role = 'user', content = 'Where and when was Marisol Tannhauer born?' } }; "
    + "local session <close> = model:session { messages = question }; "
    + "local logits <const> = session:logits():copy(); local ids <const> = model:encode 'Where she was born'; "

  private func run(_ command: DocumentCommand, of block: DocumentBlock, on desk: Desk) throws {
    let result = try desk.run(command.words, input: command.input)
    let place = "\(block.document):\(command.line): \(command.words)"
    #expect(!result.wasKilled, "\(place)")
    if let difference = command.difference(from: result.output.components(separatedBy: "\n")) {
      Issue.record("\(place): \(difference)\n\(result.output)")
    }
    // A transcript may show an error.
    let showsError =
      command.expected?.contains { ["lacuna: ", "FAIL", "  FAIL", "DIFFERS"].contains(where: $0.hasPrefix) } ?? false
    #expect(result.status == 0 || showsError, "\(place): \(result.output)")
  }
}

/// A reader's desk: an empty folder, a home of its own, and what the documents take for granted.
private final class Desk {
  private let folder: TemporaryDirectory
  private let environment: [String: String]

  init() throws {
    folder = try TemporaryDirectory()
    let files = FileManager.default
    let models = "\(Command.root)/share/lacuna/models"
    for name in ["bin", "home", "cache/lacuna", "work/A", "work/B"] {
      try files.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    let command = try #require(Command.path)
    // What people pull or have at hand, played by the demo's models.
    for (link, target) in [
      ("bin/lacuna", command), ("cache/lacuna/smollm2", "\(models)/demo"), ("work/checkpoint", "\(models)/demo"),
      ("cache/lacuna/my-vicuna", "\(models)/demo"), ("work/TOFU", "\(Command.root)/share/lacuna/data/demo"),
      ("work/A/eval_log_aggregated.json", "\(Command.root)/Tests/Fixtures/tofu/log-arrays.json"),
      ("work/B/eval_log_aggregated.json", "\(Command.root)/Tests/Fixtures/tofu/log-keyed.json"),
      ("work/unlearned", "\(models)/demo-unlearned"), ("work/retrained", "\(models)/demo-retrained"),
      ("work/examples", "\(Command.root)/examples"), ("work/plugins", "\(Command.root)/plugins"),
    ] { try files.createSymbolicLink(atPath: "\(folder.path)/\(link)", withDestinationPath: target) }
    environment = [
      "HOME": "\(folder.path)/home", "XDG_CACHE_HOME": "\(folder.path)/cache", "XDG_DATA_HOME": "\(folder.path)/data",
      "XDG_STATE_HOME": "\(folder.path)/state", "PATH": "\(folder.path)/bin:/usr/bin:/bin",
    ]
    try save("{\"prompt\": \"[INST] Who? [/INST]\", \"answer\": \" Nobody.\"}\n", as: "pairs.jsonl")
    try save("print 'hello'\n", as: "script.lua")
    try save("The harbour was closed in March. It opened again in May.\n", as: "report.txt")
  }

  func save(_ text: String, as name: String) throws { try folder.write(text, to: "work/\(name)") }

  /// Standard error among the output, as a terminal shows it.
  func run(_ command: String, input: String = "") throws -> Command.Result {
    try Command.shell(command, input: input, environment: environment, directory: "\(folder.path)/work")
  }
}
