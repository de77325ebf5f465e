#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A model as `lacuna models` shows it.
public struct ModelListing: Sendable {
  public let entry: ModelRegistry.Entry
  /// Bytes of all its files.
  public let byteCount: Int
  /// How its weights are stored ("GGUF Q4_1"), or what is wrong with it.
  public let stored: String
}

extension ModelRegistry {
  /// Every named model with its size and format, read from headers only.
  public func list() -> [ModelListing] { entries().map(Self.listing) }

  public static func listing(_ entry: Entry) -> ModelListing {
    ModelListing(entry: entry, byteCount: byteCount(entry.path), stored: stored(entry.path))
  }

  private static func byteCount(_ path: String) -> Int {
    let files = isDirectory(path) ? ((try? directoryEntries(path)) ?? []).map { "\(path)/\($0)" } : [path]
    return files.reduce(0) { sum, file in
      var status = stat()
      guard stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return sum }
      return sum + Int(status.st_size)
    }
  }

  private static func stored(_ path: String) -> String {
    do throws(LacunaError) {
      guard isDirectory(path) else { return GGUFSource.describe(try GGUFFile.open(path)) }
      let file = "\(path)/config.json"
      let config = try JSONValue.parse(try readFile(file, limit: 1 << 20), file: file)
      if case .string(let method) = config["quantization_config"]?["quant_method"] {
        if case .string(let format) = config["quantization_config"]?["format"] { return "\(method) \(format)" }
        return method
      }
      if case .string(let type) = config["dtype"] ?? config["torch_dtype"] { return type }
      return "safetensors"
    } catch {
      return "damaged: \(error.message)"
    }
  }
}
