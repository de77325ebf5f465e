/// Hidden states and logit lenses of a session's last position, which every pass for its logits brings along.
package final class LastStates {
  package enum Kind: Sendable {
    /// What Hugging Face calls hidden_states[layer].
    case hidden
    /// The last norm and the output head over the residual behind a layer (nostalgebraist 2020).
    case lens
  }

  final class State {
    let kind: Kind
    let layer: Int
    /// The count of tokens that it belongs to; -1 while there is none.
    var count = -1
    private let memory: AlignedBuffer
    /// [hiddenSize] or [vocabSize], at an address that stays.
    let values: UnsafeMutableBufferPointer<Float>
    /// [hiddenSize]: where a lens' residual waits for the head.
    let residual: UnsafeMutablePointer<Float>

    init(_ kind: Kind, layer: Int, config: ModelConfig) throws(LacunaError) {
      self.kind = kind
      self.layer = layer
      let count = kind == .hidden ? config.hiddenSize : config.vocabSize
      memory = try AlignedBuffer(byteCount: (count + config.hiddenSize) * MemoryLayout<Float>.stride)
      values = UnsafeMutableBufferPointer(start: memory.floats(), count: count)
      residual = memory.floats() + count
    }

    var byteCount: Int { memory.pageByteCount }
  }

  private(set) var states: [State] = []

  /// The state of this kind, from now on brought along.
  func state(_ kind: Kind, layer: Int, config: ModelConfig) throws(LacunaError) -> State {
    if let known = states.first(where: { $0.kind == kind && $0.layer == layer }) { return known }
    guard (0...config.numHiddenLayers).contains(layer) else {
      throw LacunaError(.invalidArgument, "layer: expected 0 to \(config.numHiddenLayers), found \(layer)")
    }
    let made = try State(kind, layer: layer, config: config)
    states.append(made)
    return made
  }

  var lensCount: Int { states.count { $0.kind == .lens } }
  var byteCount: Int { states.reduce(0) { $0 + $1.byteCount } }

  /// Asks the pass for all of them, of the row of the last token.
  func tap(_ pass: ForwardPass, row: Int) {
    for state in states {
      guard let out = state.values.baseAddress else { continue }
      switch state.kind {
      case .hidden:
        pass.residualTaps.append(
          ResidualTap(
            row: row, layer: state.layer, isNormed: state.layer == pass.model.config.numHiddenLayers, out: out))
      case .lens: pass.addLens(row: row, layer: state.layer, residual: state.residual, logits: out)
      }
    }
  }

  /// Told that a pass has brought all of them for the last of `count` tokens.
  func didBring(count: Int) { for state in states { state.count = count } }

  /// Told when only the first `count` tokens stay.
  func rewind(to count: Int) { for state in states where state.count > count { state.count = -1 } }

  func fork(config: ModelConfig) throws(LacunaError) -> LastStates {
    let copy = LastStates()
    for state in states {
      let twin = try copy.state(state.kind, layer: state.layer, config: config)
      twin.count = state.count
      if state.count >= 0 { _ = twin.values.update(from: state.values) }
    }
    return copy
  }
}

extension Session {
  /// The hidden state of the last position behind a layer, [hiddenSize], numbered and normed as Hugging Face's
  /// `hidden_states`: 0 is the embedding's output, the last one has gone through the model's last norm. Runs the pending
  /// forward pass.
  ///
  /// The first call for a layer evaluates the last token again if its pass has run already; from then on the passes for
  /// this session's logits bring the state along.
  /// - Throws: as `logits()`; `invalidArgument` for a layer that the model has not.
  public func hidden(layer: Int) throws(LacunaError) -> [Float] {
    let values = Array(try borrowedState(.hidden, layer: layer))
    withExtendedLifetime(self) {}
    return values
  }

  /// What the last position's logits would be if the model ended behind a layer, [vocabSize]: the last norm and the
  /// output head over the residual stream there. As `hidden(layer:)` otherwise.
  public func lens(layer: Int) throws(LacunaError) -> [Float] {
    let values = Array(try borrowedState(.lens, layer: layer))
    withExtendedLifetime(self) {}
    return values
  }

  /// In place, as `borrowedLogits()`.
  package func borrowedState(
    _ kind: LastStates.Kind, layer: Int
  ) throws(LacunaError) -> UnsafeBufferPointer<Float> {
    if let request = try stateRequest(kind, layer: layer) {
      let epoch = request.wantsLogits ? nil : self.epoch
      try engine.runner.run([request])
      if let epoch { restore(epoch: epoch) }
    }
    guard let state = lastStates?.states.first(where: { $0.kind == kind && $0.layer == layer }) else {
      preconditionFailure("layer \(layer) is not watched")
    }
    return UnsafeBufferPointer(state.values)
  }
}
