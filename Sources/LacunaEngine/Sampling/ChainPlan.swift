/// A chain's stages, found by name, built and checked: filters, then exactly one selector.
struct ChainPlan {
  private(set) var filters: [SamplerChain.Filter] = []
  private(set) var selectorName = ""
  private(set) var nativeSelector: (any SelectorStage)?
  private(set) var externalSelector: (any SamplerChain.ExternalStage)?
  /// The random numbers of a stage are told apart by 8 bits.
  private static let greatestStageCount = 255

  init(_ stages: [SamplerChain.Stage], _ environment: StageEnvironment) throws(LacunaError) {
    guard stages.count <= Self.greatestStageCount else {
      throw LacunaError(
        .invalidArgument, "sampler chain: expected at most \(Self.greatestStageCount) stages, found \(stages.count)")
    }
    var selectorIsGreedy = false
    for (index, stage) in stages.enumerated() {
      if nativeSelector != nil || externalSelector != nil {
        throw LacunaError(
          .invalidArgument,
          "sampler chain: stage \(index + 1) (\"\(stage.name)\") follows the selector \"\(selectorName)\": "
            + "expected one selector, at the end")
      }
      switch stage {
      case .external(let name, let external) where external.isSelector:
        (selectorName, externalSelector) = (name, external)
      case .external(let name, let external):
        filters.append(SamplerChain.Filter(name: name, runner: .external(external), lane: filters.count + 1))
      case .native(let description):
        if let type = NativeStages.filters.first(where: { $0.schema.name == description.name }) {
          let filter = try type.init(StageParameters(description, type.schema), environment)
          filters.append(SamplerChain.Filter(name: description.name, runner: .native(filter), lane: filters.count + 1))
        } else if let type = NativeStages.selectors.first(where: { $0.schema.name == description.name }) {
          nativeSelector = try type.init(StageParameters(description, type.schema), environment)
          selectorName = description.name
          selectorIsGreedy = type == Greedy.self
        } else {
          throw LacunaError(
            .invalidArgument,
            "sampler stage \"\(description.name)\": no such stage" + SamplerChain.hint(description.name))
        }
      }
    }
    guard nativeSelector != nil || externalSelector != nil else {
      let selectors = NativeStages.selectors.map { "\"\($0.schema.name)\"" }.joined(separator: ", ")
      throw LacunaError(
        .invalidArgument,
        "sampler chain: no selector: expected one of \(selectors) or a script's at the end, found "
          + (stages.last.map { "\"\($0.name)\"" } ?? "an empty chain"))
    }
    if selectorIsGreedy { skipWhatGreedyIgnores() }
  }

  /// Greedy decoding sees nothing of the stages right before it that keep the most probable token what it is. Scripts'
  /// stages run all the same unless they promise that.
  private mutating func skipWhatGreedyIgnores() {
    for index in filters.indices.reversed() {
      let keepsArgmax =
        switch filters[index].runner {
        case .native(let stage): stage.keepsArgmax
        case .external(let stage): stage.keepsArgmax
        }
      guard keepsArgmax else { return }
      filters[index].runs = false
    }
  }
}

extension SamplerChain.Stage {
  var name: String {
    switch self {
    case .native(let description): description.name
    case .external(let name, _): name
    }
  }
}
