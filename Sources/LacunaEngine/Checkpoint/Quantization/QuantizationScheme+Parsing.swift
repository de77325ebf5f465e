extension QuantizationScheme {
  /// - Parameter config: config.json.
  /// - Returns: nil for a checkpoint that is not quantized.
  /// - Throws: `unsupported` for methods, formats, strategies and types that are not FP8 as we run it; `malformed`.
  static func parse(_ config: JSONFields) throws(LacunaError) -> QuantizationScheme? {
    let (current, former) = (try config.object("quantization_config"), try config.object("compression_config"))
    guard let fields = current ?? former else { return nil }
    guard let method = try fields.string("quant_method") else {
      throw fields.refusal("quant_method", "a string", "nothing")
    }
    switch method {
    case "compressed-tensors": return try compressedTensors(fields)
    case "fp8": return try fp8(fields)
    case "fbgemm_fp8":
      return QuantizationScheme(
        name: method, groups: [Group(targets: try ModuleFilter(["Linear"]), granularity: .channel)],
        ignored: try unconverted(fields), scaleNames: ["weight_scale"], warnings: [])
    default:
      throw fields.refusal(
        "quant_method", "compressed-tensors, fp8 or fbgemm_fp8", "\"\(method.clipped)\"", .unsupported)
    }
  }

  // MARK: compressed-tensors

  private static func compressedTensors(_ fields: JSONFields) throws(LacunaError) -> QuantizationScheme {
    try fields.expect("format", .string("float-quantized"))
    guard fields["format"] != nil else { throw fields.refusal("format", "\"float-quantized\"", "nothing") }
    try fields.expect("quantization_status", .string("compressed"))
    // Both would change the values: 2:4 sparsity packs them, transforms rotate them.
    try fields.expect("transform_config", .object([:]))
    if let sparsity = try fields.object("sparsity_config") { try sparsity.expect("format", .string("dense")) }
    guard let groupFields = try fields.object("config_groups") else {
      throw fields.refusal("config_groups", "an object", "nothing")
    }
    guard (1...64).contains(groupFields.names.count) else {
      throw fields.refusal("config_groups", "1 to 64 groups", "\(groupFields.names.count)")
    }
    var groups: [Group] = []
    for name in groupFields.names {
      guard let group = try groupFields.object(name) else { continue }
      groups.append(try self.group(group))
    }
    let warnings =
      fields["kv_cache_scheme"] == nil
      ? [] : ["\(fields.file): \(fields.prefix)kv_cache_scheme is not followed: the cache keeps its own type"]
    return QuantizationScheme(
      name: "compressed-tensors float-quantized", groups: groups,
      ignored: try ModuleFilter(try fields.strings("ignore") ?? []), scaleNames: ["weight_scale"], warnings: warnings)
  }

  private static func group(_ fields: JSONFields) throws(LacunaError) -> Group {
    try fields.expect("format", .string("float-quantized"))
    guard let targets = try fields.strings("targets") else {
      throw fields.refusal("targets", "an array of strings", "nothing")
    }
    guard let weights = try fields.object("weights") else {
      throw fields.refusal("weights", "an object", "nothing", .unsupported)
    }
    guard fields["output_activations"] == nil else {
      throw fields.refusal("output_activations", "null", "a scheme", .unsupported)
    }
    try checkEightBitFloat(weights)
    try weights.expect("dynamic", .bool(false))
    try weights.expect("symmetric", .bool(true))
    if let inputs = try fields.object("input_activations") { try checkEightBitFloat(inputs) }
    return Group(targets: try ModuleFilter(targets), granularity: try granularity(weights))
  }

  private static func checkEightBitFloat(_ fields: JSONFields) throws(LacunaError) {
    guard fields["num_bits"] != nil, fields["type"] != nil else {
      throw fields.refusal("num_bits", "8, with a type of \"float\"", "nothing")
    }
    try fields.expect("num_bits", .integer(8))
    try fields.expect("type", .string("float"))
  }

  private static func granularity(_ weights: JSONFields) throws(LacunaError) -> Granularity {
    switch try weights.string("strategy") {
    case "tensor": return .tensor
    case "channel": return .channel
    case "block": return try block(weights, "block_structure")
    case let other:
      throw weights.refusal("strategy", "tensor, channel or block", "\"\(other?.clipped ?? "")\"", .unsupported)
    }
  }

  /// [rows, cols], or "128x128" as the first releases wrote it.
  private static func block(_ fields: JSONFields, _ name: String) throws(LacunaError) -> Granularity {
    let sizes: [Int?]
    switch fields[name] {
    case .array(let elements):
      sizes = elements.map { if case .integer(let size) = $0 { size } else { nil } }
    case .string(let text): sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    default: sizes = []
    }
    guard sizes.count == 2, let rows = sizes[0], let cols = sizes[1], (1...65_536).contains(rows),
      (1...65_536).contains(cols)
    else { throw fields.refusal(name, "two sizes from 1 to 65536", fields[name]?.shown ?? "nothing") }
    return .block(rows: rows, cols: cols)
  }

  // MARK: fp8

  private static func fp8(_ fields: JSONFields) throws(LacunaError) -> QuantizationScheme {
    try fields.expect("fmt", .string("e4m3"))
    try fields.expect("activation_scheme", .string("dynamic"), .string("static"))
    let granularity = fields["weight_block_size"] == nil ? Granularity.tensor : try block(fields, "weight_block_size")
    return QuantizationScheme(
      name: "fp8", groups: [Group(targets: try ModuleFilter(["Linear"]), granularity: granularity)],
      ignored: try unconverted(fields), scaleNames: ["weight_scale_inv", "weight_scale"], warnings: [])
  }

  private static func unconverted(_ fields: JSONFields) throws(LacunaError) -> ModuleFilter {
    let names = try fields.strings("modules_to_not_convert") ?? []
    return try ModuleFilter(names + (try fields.strings("ignored_layers") ?? []), matchesComponents: true)
  }
}
