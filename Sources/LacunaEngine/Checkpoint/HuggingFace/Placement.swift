/// Where a tensor's values lie.
struct PlacedTensor: Sendable {
  /// A vector is one row.
  let matrix: WeightMatrix
  /// Whether the kernels can read it as it lies; vectors and odd blocks of scales are decoded instead.
  let runsInPlace: Bool
}

/// Holds the files' tensors against the configuration and the scheme, and finds a place for each.
struct Placement {
  private let shards: ShardSet
  private let config: ModelConfig
  private let scheme: QuantizationScheme?
  private(set) var placed: [String: PlacedTensor] = [:]
  private(set) var warnings: [String] = []
  /// Memory for what cannot be used where it lies in its file: scales, and tensors that are not aligned to their type.
  private(set) var owners: [any Sendable] = []
  private var used: Set<String> = []
  // About half a second of matching; a thousand patterns of the usual kind spend a hundredth of it.
  private var patternBudget = NamePattern.Budget(steps: 10_000_000)

  /// The kernels' bound on blocks that are narrower than a row.
  private static let blockMultiple = 64

  init(shards: ShardSet, config: ModelConfig, scheme: QuantizationScheme?) {
    self.shards = shards
    self.config = config
    self.scheme = scheme
  }

  mutating func placeAll() throws(LacunaError) {
    for tensor in config.llamaTensors {
      let location = try locate(tensor)
      used.insert(tensor.name)
      switch tensor.role {
      case .vector: try placeVector(tensor, location)
      case .embedding: try place(tensor, location, granularity: nil)
      case .linear, .head:
        let module = String(tensor.name.dropLast(".weight".count))
        let granularity = try scheme?.granularity(ofLinear: module, budget: &patternBudget)
        try place(tensor, location, granularity: granularity)
      }
    }
    if config.tieWordEmbeddings { try checkTiedHead() }
    warnAboutTheRest()
  }

  /// The model's tensors in file order.
  var storedTensors: [StoredTensor] {
    shards.inOrder.compactMap { location in
      guard placed[location.tensor.name] != nil else { return nil }
      let tensor = location.tensor
      return StoredTensor(
        name: tensor.name, shape: tensor.shape, typeName: tensor.type.rawValue, byteCount: tensor.byteCount)
    }
  }

  private func locate(_ tensor: LlamaTensor) throws(LacunaError) -> ShardSet.Location {
    guard let location = shards.locations[tensor.name] else {
      throw LacunaError(
        .malformed, file: shards.files[0].file.path, field: tensor.name, expected: "a tensor \(tensor.shape)",
        found: "none" + (shards.files.count > 1 ? " in it or the other \(shards.files.count - 1) files" : ""))
    }
    guard location.tensor.shape == tensor.shape else {
      throw refusal(location, "shape \(tensor.shape), as config.json says", "\(location.tensor.shape)")
    }
    return location
  }

  // MARK: Values

  private mutating func placeVector(_ tensor: LlamaTensor, _ location: ShardSet.Location) throws(LacunaError) {
    guard let type = location.tensor.type.weightType, type != .e4m3 else {
      throw refusal(location, "F32, F16 or BF16", location.tensor.type.rawValue, .unsupported)
    }
    let data = try aligned(location, to: type.byteCount)
    let matrix = WeightMatrix(data: data, rows: 1, cols: tensor.shape[0], type: type)
    let values = [Float](unsafeUninitializedCapacity: matrix.cols) { buffer, count in
      if let out = buffer.baseAddress { matrix.decode(0..<1, into: out) }
      count = matrix.cols
    }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw refusal(location, "finite values", "\(values[index]) at \(index)")
    }
    placed[tensor.name] = PlacedTensor(matrix: matrix, runsInPlace: false)
  }

  private mutating func place(
    _ tensor: LlamaTensor, _ location: ShardSet.Location, granularity: QuantizationScheme.Granularity?
  ) throws(LacunaError) {
    guard let type = location.tensor.type.weightType else {
      throw refusal(location, "F32, F16, BF16 or F8_E4M3", location.tensor.type.rawValue, .unsupported)
    }
    let (rows, cols) = (tensor.shape[0], tensor.shape[1])
    let scale = scaleLocation(of: tensor)
    guard type == .e4m3 else {
      if let scale {
        throw refusal(scale, "an F8_E4M3 weight beside it", location.tensor.type.rawValue)
      }
      if granularity != nil, tensor.role == .linear {
        warnings.append(
          "\(location.file.file.path): \(tensor.name) is \(location.tensor.type.rawValue), though the quantization scheme covers it"
        )
      }
      let data = try aligned(location, to: type.byteCount)
      placed[tensor.name] = PlacedTensor(
        matrix: WeightMatrix(data: data, rows: rows, cols: cols, type: type), runsInPlace: true)
      return
    }
    guard let granularity else {
      throw refusal(
        location, scheme == nil ? "a quantization_config for F8_E4M3" : "F32, F16 or BF16 where the scheme ignores it",
        "F8_E4M3")
    }
    guard let scale else {
      let names = scheme?.scaleNames.joined(separator: " or ") ?? ""
      throw refusal(location, "a tensor \(names) beside it", "none")
    }
    used.insert(scale.tensor.name)
    let (blockRows, blockCols) =
      switch granularity {
      case .tensor: (rows, cols)
      case .channel: (1, cols)
      case .block(let blockRows, let blockCols): (min(blockRows, rows), min(blockCols, cols))
      }
    let scales = try readScales(scale, granularity, rows: rows, cols: cols)
    placed[tensor.name] = PlacedTensor(
      matrix: WeightMatrix(
        data: location.bytes.baseAddress ?? location.file.file.base, scales: scales, rows: rows, cols: cols,
        blockRows: blockRows, blockCols: blockCols, type: .e4m3),
      runsInPlace: blockCols == cols || blockCols.isMultiple(of: Self.blockMultiple))
  }

  private func scaleLocation(of tensor: LlamaTensor) -> ShardSet.Location? {
    let module = tensor.name.dropLast("weight".count)
    let names = scheme?.scaleNames ?? ["weight_scale", "weight_scale_inv"]
    return names.lazy.compactMap { shards.locations[module + $0] }.first
  }

  /// Checks the scales and copies them to float32.
  private mutating func readScales(
    _ location: ShardSet.Location, _ granularity: QuantizationScheme.Granularity, rows: Int, cols: Int
  ) throws(LacunaError) -> UnsafePointer<Float> {
    let shapes: [[Int]] =
      switch granularity {
      case .tensor: [[1], [], [1, 1]]
      case .channel: [[rows, 1], [rows]]
      case .block(let blockRows, let blockCols): [[(rows - 1) / blockRows + 1, (cols - 1) / blockCols + 1]]
      }
    guard shapes.contains(location.tensor.shape) else {
      throw refusal(location, "shape " + shapes.map { "\($0)" }.joined(separator: " or "), "\(location.tensor.shape)")
    }
    guard let type = location.tensor.type.weightType, type != .e4m3 else {
      throw refusal(location, "F32, F16 or BF16", location.tensor.type.rawValue, .unsupported)
    }
    let count = location.tensor.elementCount
    let data = try aligned(location, to: type.byteCount)
    let buffer = SharedBuffer(try AlignedBuffer(byteCount: count * MemoryLayout<Float>.stride))
    owners.append(buffer)
    let scales = buffer.storage.floats()
    WeightMatrix(data: data, rows: 1, cols: count, type: type).decode(0..<1, into: scales)
    for i in 0..<count where !(scales[i].isFinite && scales[i] > 0) {
      throw refusal(location, "finite scales above 0", "\(scales[i]) at \(i)")
    }
    return UnsafePointer(scales)
  }

  /// The tensor's bytes where they lie, or a copy where their address does not fit their type.
  private mutating func aligned(_ location: ShardSet.Location, to alignment: Int) throws(LacunaError)
    -> UnsafeRawPointer
  {
    guard let base = location.bytes.baseAddress else { return location.file.file.base }
    if UInt(bitPattern: base).isMultiple(of: UInt(alignment)) { return base }
    let buffer = SharedBuffer(try AlignedBuffer(byteCount: location.bytes.count))
    buffer.storage.base.copyMemory(from: base, byteCount: location.bytes.count)
    owners.append(buffer)
    return UnsafeRawPointer(buffer.storage.base)
  }

  // MARK: What is left

  /// A head that is stored although it is tied must be the embedding: otherwise the file contradicts itself.
  private mutating func checkTiedHead() throws(LacunaError) {
    guard let head = shards.locations["lm_head.weight"], let embedding = shards.locations["model.embed_tokens.weight"]
    else { return }
    used.insert("lm_head.weight")
    guard head.tensor.type == embedding.tensor.type, head.tensor.shape == embedding.tensor.shape,
      head.bytes.elementsEqual(embedding.bytes)
    else {
      throw refusal(head, "the bytes of model.embed_tokens.weight, for tie_word_embeddings is true", "others")
    }
  }

  private mutating func warnAboutTheRest() {
    // Buffers of old releases, and scales of activations and caches, which are not used.
    let harmless = [
      "rotary_emb.inv_freq", ".input_scale", ".output_scale", ".k_scale", ".v_scale", ".activation_scale",
    ]
    let unknown = shards.inOrder.filter { location in
      let name = location.tensor.name
      return !used.contains(name) && !harmless.contains { name.hasSuffix($0) }
    }
    warnings += unknown.prefix(8).map { "\($0.file.file.path): \($0.tensor.name.clipped) is unknown and not used" }
    if unknown.count > 8 { warnings.append("\(unknown.count - 8) more tensors are unknown and not used") }
  }

  private func refusal(
    _ location: ShardSet.Location, _ expected: String, _ found: String, _ code: LacunaError.Code = .malformed
  ) -> LacunaError {
    LacunaError(
      code, file: location.file.file.path, field: location.tensor.name.clipped, expected: expected, found: found)
  }
}
