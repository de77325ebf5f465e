// Keys and values that no pass made, for measuring long contexts without evaluating them.

extension Session {
  /// Appends `count` tokens and takes them for evaluated, over random keys and values.
  ///
  /// What the model makes of them means nothing; it costs what it would cost over a real text of that length. One page
  /// is filled and copied, so that each is memory of its own.
  /// - Throws: as `append`, and `resource` if the memory is not there.
  package func appendSynthetic(_ count: Int) throws(LacunaError) {
    let start = tokens.count
    precondition(start == 0 && evaluatedCount == 0, "synthetic positions go into an empty session")
    var random = SeededRandom(seed: 1)
    var ids: [TokenID] = []
    for _ in 0..<count { ids.append(TokenID(random.integer(in: 0...Int64(engine.config.vocabSize - 1)))) }
    try append(ids)
    try pages.prepareToWrite(positions: 0..<count)
    let model = engine.model
    let width = model.kvWidth
    let noise = try AlignedBuffer(byteCount: 2 * width * MemoryLayout<Float>.stride)
    let (key, value) = (noise.floats(), noise.floats(at: width * MemoryLayout<Float>.stride))
    guard let first = pages.addresses[0] else { return }
    for slot in 0..<KVLayout.pagePositions {
      for i in 0..<2 * width { noise.floats()[i] = Float(random.uniform()) * 2 - 1 }
      for layer in 0..<model.config.numHiddenLayers {
        model.kernels.storeKV(
          model.layout, page: UnsafeMutableRawPointer(mutating: first) + layer * model.layout.layerBytes, slot: slot,
          key: key, value: value)
      }
    }
    for page in 1..<max(pages.count, 1) {
      guard let target = pages.addresses[page] else { continue }
      UnsafeMutableRawPointer(mutating: target).copyMemory(from: first, byteCount: pages.pageBytes)
    }
    didEvaluate(upTo: count, hasLogits: false)
  }
}
