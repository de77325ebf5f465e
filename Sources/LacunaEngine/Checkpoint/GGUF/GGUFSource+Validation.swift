/// What is held against the configuration when a file is opened, so that nothing can fail afterwards.
extension GGUFSource {
  /// The model's tensors by Hugging Face name, in file order.
  static func namedTensors(_ file: GGUFFile) throws(LacunaError) -> [(name: String, tensor: GGUFTensor)] {
    var named: [(name: String, tensor: GGUFTensor)] = []
    named.reserveCapacity(file.tensors.count)
    for tensor in file.tensors {
      switch GGUFNames.meaning(of: tensor.name) {
      case .tensor(let name): named.append((name, tensor))
      case .ignored: continue
      case .unknown:
        // Leaving out a tensor that the model was trained with would give wrong text without a word.
        throw LacunaError(
          .unsupported, file: file.path, field: tensor.name.clipped, expected: "tensors of the Llama architecture",
          found: "one of another")
      }
    }
    return named
  }

  static func config(
    _ file: GGUFFile, _ named: [(name: String, tensor: GGUFTensor)]
  ) throws(LacunaError) -> ModelConfig {
    let names = Set(named.map(\.name))
    func has(_ module: String) -> Bool { names.contains("model.layers.0.\(module).bias") }
    return try GGUFConfig.read(
      file,
      attentionBias: ["q", "k", "v", "o"].contains { has("self_attn.\($0)_proj") },
      mlpBias: ["gate", "up", "down"].contains { has("mlp.\($0)_proj") },
      isTied: !names.contains("lm_head.weight"))
  }

  /// Every tensor that the configuration asks for, with the exact shape and a type that can be decoded.
  static func entries(
    _ file: GGUFFile, _ named: [(name: String, tensor: GGUFTensor)], _ config: ModelConfig
  ) throws(LacunaError) -> [String: Entry] {
    let stored = Dictionary(named.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let expected = config.llamaTensors
    var entries: [String: Entry] = [:]
    entries.reserveCapacity(expected.count)
    for wanted in expected {
      let (name, shape) = (wanted.name, wanted.shape)
      guard let tensor = stored[name] else {
        throw LacunaError(.malformed, file: file.path, field: name, expected: "a tensor of \(shape)", found: "none")
      }
      guard tensor.dimensions.reversed() == shape else {
        throw LacunaError(
          .malformed, file: file.path, field: tensor.name, expected: "shape \(shape)",
          found: "\(Array(tensor.dimensions.reversed()))")
      }
      guard let encoding = tensor.type.encoding else {
        throw LacunaError(
          .unsupported, file: file.path, field: tensor.name,
          expected: "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K", found: tensor.type.name)
      }
      let isPermuted = name.contains(".q_proj.") || name.contains(".k_proj.")
      entries[name] = Entry(
        tensor: tensor, encoding: encoding, permutedHeadDim: isPermuted ? config.headDim : nil)
    }
    if let surplus = named.first(where: { entries[$0.name] == nil }) {
      throw LacunaError(
        .malformed, file: file.path, field: surplus.tensor.name,
        expected: "tensors of \(config.numHiddenLayers) layers with biases in all of them or none", found: "this one")
    }
    return entries
  }

  /// Looks for scales, and values of norms and biases, that are not finite.
  static func scan(_ file: GGUFFile, _ entries: [String: Entry]) throws(LacunaError) {
    guard let base = file.bytes.baseAddress else { return }
    for entry in entries.values {
      let tensor = entry.tensor
      let data = base + tensor.byteOffset
      let stride = tensor.type.blockByteCount
      for offset in entry.encoding.scaleOffsets {
        for block in 0..<tensor.byteCount / stride {
          let bits = UInt16(littleEndian: data.loadUnaligned(fromByteOffset: block * stride + offset, as: UInt16.self))
          // All exponent bits set: infinity or NaN.
          if bits & 0x7C00 == 0x7C00 {
            throw LacunaError(
              .malformed, file: file.path, field: "\(tensor.name): block \(block)", expected: "a finite scale",
              found: "\(GGUFBlocks.half(data, block * stride + offset))")
          }
        }
      }
      if tensor.dimensions.count == 1 && entry.encoding.scaleOffsets.isEmpty {
        let values = [Float](unsafeUninitializedCapacity: tensor.cols) { buffer, count in
          if let out = buffer.baseAddress {
            GGUFBlocks.decode(entry.encoding, from: data, count: tensor.cols, into: out)
          }
          count = tensor.cols
        }
        if let index = values.firstIndex(where: { !$0.isFinite }) {
          throw LacunaError(
            .malformed, file: file.path, field: "\(tensor.name)[\(index)]", expected: "a finite value",
            found: "\(values[index])")
        }
      }
    }
  }
}
