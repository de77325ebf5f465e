/// Typed look-ups. Each returns nil for a key that is absent and throws for one of another kind.
extension GGUFFile {
  package func string(_ key: String) throws(LacunaError) -> String? {
    guard let value = metadata[key] else { return nil }
    guard case .string(let range) = value else { throw mismatch(key, "a string", value.shown) }
    return try text(range, key)
  }

  package func bool(_ key: String) throws(LacunaError) -> Bool? {
    guard let value = metadata[key] else { return nil }
    guard case .bool(let flag) = value else { throw mismatch(key, "a bool", value.shown) }
    return flag
  }

  /// An integer of any width within `range`.
  package func integer(_ key: String, in range: ClosedRange<Int>) throws(LacunaError) -> Int? {
    guard let value = metadata[key] else { return nil }
    let number: Int? =
      switch value {
      case .unsigned(let number): Int(exactly: number)
      case .signed(let number): Int(exactly: number)
      default: nil
      }
    guard let number, range.contains(number) else {
      throw mismatch(key, "an integer of \(range.lowerBound) to \(range.upperBound)", value.shown)
    }
    return number
  }

  /// A number within `range`, stored as a float or as an integer.
  package func real(_ key: String, in range: ClosedRange<Double>) throws(LacunaError) -> Double? {
    guard let value = metadata[key] else { return nil }
    let number: Double? =
      switch value {
      case .real(let number): number
      case .unsigned(let number): Double(number)
      case .signed(let number): Double(number)
      default: nil
      }
    guard let number, range.contains(number) else {
      throw mismatch(key, "a number of \(range.lowerBound) to \(range.upperBound)", value.shown)
    }
    return number
  }

  /// The number of elements of an array of strings, without decoding them.
  func stringCount(_ key: String) throws(LacunaError) -> Int? {
    try array(key, of: [.string], "strings")?.count
  }

  package func strings(_ key: String) throws(LacunaError) -> [String]? {
    guard let array = try array(key, of: [.string], "strings") else { return nil }
    var strings: [String] = []
    strings.reserveCapacity(array.count)
    // The header's walk has checked every length, so this one can trust them.
    var offset = array.bytes.lowerBound
    for index in 0..<array.count {
      let length = Int(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      strings.append(try text(offset + 8..<offset + 8 + length, "\(key)[\(index)]"))
      offset += 8 + length
    }
    return strings
  }

  func floats(_ key: String) throws(LacunaError) -> [Float]? {
    guard let array = try array(key, of: [.float32], "float32") else { return nil }
    return (0..<array.count).map { index in
      Float(bitPattern: UInt32(littleEndian: loadElement(array, index, as: UInt32.self)))
    }
  }

  /// An array of 32-bit integers, of either sign.
  package func integers(_ key: String) throws(LacunaError) -> [Int]? {
    guard let array = try array(key, of: [.int32, .uint32], "32-bit integers") else { return nil }
    let isSigned = array.elementType == .int32
    return (0..<array.count).map { index in
      let bits = UInt32(littleEndian: loadElement(array, index, as: UInt32.self))
      return isSigned ? Int(Int32(bitPattern: bits)) : Int(bits)
    }
  }

  func mismatch(_ key: String, _ expected: String, _ found: String) -> LacunaError {
    LacunaError(.malformed, file: path, field: key, expected: expected, found: found)
  }

  private func array(
    _ key: String, of types: [GGUFValueType], _ expected: String
  ) throws(LacunaError) -> GGUFArray? {
    guard let value = metadata[key] else { return nil }
    guard case .array(let array) = value, types.contains(array.elementType) else {
      throw mismatch(key, "an array of \(expected)", value.shown)
    }
    return array
  }

  private func loadElement<T: FixedWidthInteger>(_ array: GGUFArray, _ index: Int, as type: T.Type) -> T {
    bytes.loadUnaligned(fromByteOffset: array.bytes.lowerBound + index * MemoryLayout<T>.size, as: type)
  }

  private func text(_ range: Range<Int>, _ field: String) throws(LacunaError) -> String {
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw mismatch(field, "UTF-8", "other bytes")
    }
    return text
  }
}
