import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Which kernels this machine can run, for `lacuna doctor`.
package struct KernelReport: Sendable {
  package struct Table: Sendable {
    package let name: String
    package let isAvailable: Bool
  }

  /// In the order of `LACUNA_ISA`.
  package let tables: [Table]
  /// The table in use.
  package let chosen: String
  /// What the processor says of itself, as far as kernels care; empty where that is not known.
  package let features: [String]

  package init() {
    let all: [(ck_isa, String)] = [
      (CK_ISA_SCALAR, "scalar"), (CK_ISA_NEON, "neon"), (CK_ISA_AVX2, "avx2"), (CK_ISA_AVX512, "avx512"),
      (CK_ISA_AVX512_BF16, "avx512bf16"), (CK_ISA_AVX512_FP16, "avx512fp16"), (CK_ISA_AMX, "amx"),
    ]
    tables = all.map { Table(name: $0.1, isAvailable: ck_table_for($0.0) != nil) }
    chosen = Kernels.best.name
    features = Self.processorFeatures()
  }

  private static func processorFeatures() -> [String] {
    #if os(Linux)
      let wanted = [
        "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vbmi", "avx512_bf16", "avx512_fp16", "gfni",
        "amx_tile", "amx_bf16", "asimd", "bf16", "fp16", "sve",
      ]
      guard let file = fopen("/proc/cpuinfo", "re") else { return [] }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 1 << 14)
      while fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix("flags") || text.hasPrefix("Features") else { continue }
        let flags = Set(text.split { $0 == " " || $0 == ":" || $0 == "\t" || $0 == "\n" }.map(String.init))
        return wanted.filter(flags.contains)
      }
    #endif
    return []
  }
}
