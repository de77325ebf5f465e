/// What an engine takes beside its weights, known before they are loaded.
package struct EngineMemory {
  package let kvBytesPerToken: Int
  /// Bytes that a pass's scratch memory may grow to.
  package let scratchBytes: Int

  /// - Parameters:
  ///   - types: of the layers' projections and of the head, as they run.
  ///   - threadCount: nil for the default.
  package init(config: ModelConfig, types: Set<WeightType>, kv: Engine.KVType, threadCount: Int? = nil) {
    let layout = KVLayout(kvHeads: config.numKeyValueHeads, headDim: config.headDim, type: kv)
    kvBytesPerToken = config.numHiddenLayers * layout.layerBytes / KVLayout.pagePositions
    scratchBytes =
      Scratch.Plan(
        config: config, types: Array(types), layout: layout, kernels: .best,
        threadCount: threadCount ?? ThreadTeam.physicalCoreCount
      ).byteCount
  }
}
