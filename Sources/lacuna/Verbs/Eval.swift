// Public: the evaluation's own types become arguments.
public import ArgumentParser
import LacunaEngine
public import LacunaEval

struct Eval: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "What a model has forgotten, and what it has kept.",
    discussion: """
      An unlearned model beside the one that it was made from and one that never knew:

        lacuna eval tofu --data demo --model demo-unlearned --original demo \\
          --reference demo-retrained
        lacuna eval tofu --data ./TOFU --split forget05 --model ./simnpo \\
          --reference-log retain95/eval_log_aggregated.json --out run.sqlite

      Every answer is recorded as it is measured: a run that was stopped, however hard, goes on with --resume. \
      Published logs are judged with no model:

        lacuna eval tofu --from-log A/eval_log_aggregated.json \\
          --reference-log B/eval_log_aggregated.json

      Forget quality is the p-value of an exact two-sample Kolmogorov-Smirnov test of the truth ratios against the \
      reference's.

      Plugins bring further probes (`lacuna plugin list`), several of which can be measured in one run:

        lacuna eval tofu extraction-strength membership:k=0.2 --data demo \\
          --model demo-unlearned --reference demo-retrained
        lacuna eval extraction-strength --formats bf16,int8,int4 --data demo \\
          --model demo-unlearned
      """)

  @Argument(help: ArgumentHelp("tofu, and plugins' probes: NAME or NAME:PARAMETER=VALUE,...", valueName: "probes"))
  var probes: [String]

  @OptionGroup var model: ModelOptions
  @OptionGroup var measurement: MeasurementOptions
  @OptionGroup var scoring: ScoringOptions
  @OptionGroup var decoding: DecodingOptions
  @OptionGroup var plugins: PluginOptions

  @Option(help: ArgumentHelp("Judge this eval_log_aggregated.json instead of a model.", valueName: "file"))
  var fromLog: String?

  @Option(
    help: ArgumentHelp("The retrained model's eval_log_aggregated.json, in place of --reference.", valueName: "file"))
  var referenceLog: String?

  @Flag(
    name: .customLong("emulate-optml-8gpu"),
    help: """
      With --from-log: report the rows as the released code does on 8 GPUs, where its merge mixes them up \
      (for audits).
      """)
  var emulateOptml8gpu = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    let isTOFU = probes.contains("tofu")
    if let name = measurement.givenForTOFU ?? decoding.given, fromLog != nil || !isTOFU {
      throw ValidationError("\(name) is for tofu's answers of a model")
    }
    if fromLog != nil {
      if probes != ["tofu"] { throw ValidationError("--from-log is for tofu alone") }
      if let name = measurement.given ?? model.given ?? (plugins.given.isEmpty ? nil : "--plugin") {
        throw ValidationError("--from-log needs no model: leave out \(name)")
      }
    } else {
      let forFigures =
        scoring.given ?? (referenceLog != nil ? "--reference-log" : measurement.logs != nil ? "--logs" : nil)
      if !isTOFU, let forFigures { throw ValidationError("\(forFigures) is for tofu's figures") }
      if measurement.on != nil, probes.allSatisfy({ $0 == "tofu" }) {
        throw ValidationError("--on is for plugins' probes")
      }
      if measurement.shard != nil, referenceLog != nil {
        throw ValidationError("--shard measures a part: give --reference-log to `lacuna report` of the merged run")
      }
      if measurement.data == nil { throw ValidationError("--data: expected a folder of TOFU's files (or --from-log)") }
      if emulateOptml8gpu { throw ValidationError("--emulate-optml-8gpu goes with --from-log") }
      if measurement.reference != nil, referenceLog != nil {
        throw ValidationError("--reference and --reference-log: give one of the two")
      }
    }
  }

  func run() throws {
    var out = StandardOutput()
    let reference = try referenceLog.map { (path) throws(LacunaError) in try TOFULog(contentsOf: path) }
    // What can be said is printed, whatever cannot.
    var failures: [any Error] = []
    if let fromLog {
      let log = try TOFULog(contentsOf: fromLog)
      let name = fromLog.split(separator: "/").last.map(String.init) ?? fromLog
      let comparison = TOFUComparison(
        [(.model, name, log)], reference: reference, scoring: scoring.scoring(),
        processes: emulateOptml8gpu ? 8 : nil)
      try out.line(json ? comparison.json : comparison.text)
      failures += comparison.columns.compactMap(\.refusal)
    } else {
      try scriptThread {
        let evaluation = try EvaluationRun(
          probes, model: model, plugins: plugins, measurement: measurement, scoring: scoring, decoding: decoding)
        let store = try evaluation.run(reference)
        let summaries = try ProbeSummary.all(in: store, evaluation.registry) { failures.append($0) }
        let result = try RunResult(store, probes: summaries, reference: reference, scoring: scoring.scoring())
        if let directory = measurement.logs { try result.writeLogs(to: directory) }
        try out.line(json ? result.json : result.text)
        failures += result.refusals
      }
    }
    try out.flush()
    if let first = failures.first { throw first }
  }
}

/// What is measured, and where it is recorded.
struct MeasurementOptions: ParsableArguments {
  @Option(help: "The model before it was made to forget.")
  var original: String?

  @Option(help: "A model that was taught all but what is to be forgotten.")
  var reference: String?

  @Option(help: ArgumentHelp("A folder of TOFU's files, or \"demo\".", valueName: "folder"))
  var data: String?

  @Option(
    help: ArgumentHelp(
      "Rows for plugins' probes, apart by commas: forget, retain, real_authors, world_facts, holdout or a data file's name.",
      valueName: "tasks"))
  var on: String?

  @Option(
    help: ArgumentHelp(
      "Put plugins' probes to the model with its weights in each of these formats, apart by commas (as --weights).",
      valueName: "formats"))
  var formats: String?

  @Option(help: ArgumentHelp("For probes that draw samples.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(help: "forget01, forget05 or forget10 (default: forget05 if the data have it).")
  var split: TOFUSplit?

  @Option(help: ArgumentHelp("Record the run here (default: in memory only).", valueName: "file"))
  var out: String?

  @Flag(help: "Go on with the run in --out.")
  var resume = false

  @Option(help: ArgumentHelp("Only the first n rows of each task.", valueName: "n"))
  var limit: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Evaluate a question of tofu once for all of its answers. Figures are the same without, and slower to come.")
  var prefixSharing = true

  @Option(help: ArgumentHelp("Measure part k of n; `lacuna merge` joins the parts.", valueName: "k/n"))
  var shard: ShardArgument?

  @Option(help: ArgumentHelp("Write the log files that TOFU's tools read into this folder.", valueName: "folder"))
  var logs: String?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit: expected 1 or more, found \(limit)") }
    if resume, out == nil { throw ValidationError("--resume goes with --out") }
    for format in formatNames where WeightChoice(rawValue: format) == nil {
      let known = WeightChoice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--formats: expected some of \(known), found \(format)")
    }
    if let on { try Self.check("--on", on) }
    if let formats { try Self.check("--formats", formats) }
    if out?.isEmpty == true { throw ValidationError("--out: expected a file's name, found nothing") }
    if shard != nil, out == nil { throw ValidationError("--shard goes with --out: a part is of use when it is kept") }
  }

  /// The first of these options that was given.
  var given: String? {
    let options: [(String, Bool)] = [
      ("--original", original != nil), ("--reference", reference != nil), ("--data", data != nil),
      ("--split", split != nil), ("--out", out != nil), ("--limit", limit != nil), ("--shard", shard != nil),
      ("--logs", logs != nil), ("--resume", resume), ("--on", on != nil), ("--formats", formats != nil),
      ("--seed", seed != 0),
    ]
    return options.first(where: \.1)?.0
  }

  /// The first of those that only concern tofu.
  var givenForTOFU: String? { prefixSharing ? nil : "--no-prefix-sharing" }

  var formatNames: [String] { formats.map(Self.list) ?? [] }

  /// nil for the probe's own.
  var tasks: [String]? { on.map(Self.list) }

  private static func list(_ text: String) -> [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  private static func check(_ option: String, _ text: String) throws {
    let names = list(text)
    if names.contains("") { throw ValidationError("\(option): expected names apart by commas, found \"\(text)\"") }
    if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw ValidationError("\(option): expected each name once, found \(twice) twice")
    }
  }

  var selection: ItemSelection {
    ItemSelection(limit: limit, shard: shard.map { ($0.index, $0.count) } ?? (1, 1))
  }

  func models(_ model: String) -> [(role: ResultStore.Role, name: String)] {
    var models: [(role: ResultStore.Role, name: String)] = [(.model, model)]
    if let original { models.append((.original, original)) }
    if let reference { models.append((.reference, reference)) }
    return models
  }
}

/// "2/8".
struct ShardArgument: ExpressibleByArgument {
  let index: Int
  let count: Int

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]), (1...100_000).contains(count),
      (1...count).contains(index)
    else { return nil }
    self.index = index
    self.count = count
  }
}

/// How TOFU's answers are generated.
struct DecodingOptions: ParsableArguments {
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case greedy, sampled
  }

  @Option(
    name: .customLong("decoding"),
    help: "tofu's answers: greedy, or sampled as the released code of SimNPO and NPO does.")
  var kind: Kind = .greedy

  @Option(help: ArgumentHelp("Of each of tofu's answers (default: as the profile has it).", valueName: "n"))
  var maxTokens: Int?

  @Option(
    help: ArgumentHelp(
      "With --decoding sampled (default: the checkpoint's generation_config.json, else 1).", valueName: "t"))
  var temperature: Double?

  @Option(
    name: .customLong("top-p"),
    help: ArgumentHelp("With --decoding sampled (default: generation_config.json, else 1).", valueName: "p"))
  var topP: Double?

  @Option(
    name: .customLong("top-k"),
    help: ArgumentHelp("With --decoding sampled; 0 for all (default: generation_config.json, else 50).", valueName: "k")
  )
  var topK: Int?

  func validate() throws {
    if kind == .greedy, let name = givenForSampling { throw ValidationError("\(name) goes with --decoding sampled") }
    if let maxTokens, maxTokens < 1 { throw ValidationError("--max-tokens: expected 1 or more, found \(maxTokens)") }
    if let temperature, !(0...100).contains(temperature) {
      throw ValidationError("--temperature: expected 0 to 100, found \(temperature)")
    }
    if let topP, !(0...1).contains(topP) { throw ValidationError("--top-p: expected 0 to 1, found \(topP)") }
    if let topK, !(0...10_000_000).contains(topK) {
      throw ValidationError("--top-k: expected 0 to 10000000, found \(topK)")
    }
  }

  private var givenForSampling: String? {
    temperature != nil ? "--temperature" : topP != nil ? "--top-p" : topK != nil ? "--top-k" : nil
  }

  /// The first of these options that was given.
  var given: String? { kind == .sampled ? "--decoding" : maxTokens != nil ? "--max-tokens" : nil }

  func decoding(_ defaults: SamplingDefaults, seed: UInt64) -> TOFUDecoding {
    switch kind {
    case .greedy: .greedy
    case .sampled: .sampling(as: defaults, temperature: temperature, topK: topK, topP: topP, seed: seed)
    }
  }
}

/// How figures are made.
struct ScoringOptions: ParsableArguments {
  @Option(
    help: """
      paper (cards of SimNPO and NPO), leaderboard (locuslab/tofu) or open (open-unlearning); default: paper, of recorded \
      runs what they were measured by.
      """)
  var profile: TOFUProfile.Name?

  @Option(help: "How a truth ratio weighs the wrong answers: geometric (default), arithmetic or prob_mean.")
  var truthRatio: TruthRatio?

  /// The first of these options that was given.
  var given: String? { profile != nil ? "--profile" : truthRatio != nil ? "--truth-ratio" : nil }

  /// - Parameter recorded: the profile that a run was measured by, for a report of it.
  func scoring(recorded: TOFUProfile.Name? = nil) -> TOFUScoring {
    var scoring = TOFUScoring()
    scoring.profile = TOFUProfile(profile ?? recorded ?? .paper)
    scoring.truthRatio = truthRatio ?? .geometric
    return scoring
  }
}

extension TOFUProfile.Name: ExpressibleByArgument {}
extension TruthRatio: ExpressibleByArgument {}
extension TOFUSplit: ExpressibleByArgument {}

extension ProgressLine {
  /// "tofu, model: 120 of 717, 3.1 a second, 3m12s left".
  func update(_ progress: EvaluationProgress) {
    var detail = "\(progress.label): \(progress.done) of \(progress.total)"
    if let rate = progress.rate, let left = progress.secondsLeft {
      detail += ", \(significant(rate, 2)) a second, \(formatDuration(left)) left"
    }
    update(Double(progress.done) / Double(max(progress.total, 1)), detail: detail)
  }
}
