import CProbes
import LacunaEngine
import Synchronization

/// What this machine can do, measured with the engine's own threads on the engine's own weights: so much memory, at
/// those addresses, is what decoding has to read.
struct MachineProbe {
  /// How memory is read: `streams` runs of `run` bytes side by side; run 0 is as long as a matrix allows.
  struct Pattern: Equatable {
    let name: String
    let streams: Int
    let run: Int
  }

  /// As the products read: neighbouring rows side by side.
  private static let asWeightsLie = Pattern(name: "4 rows side by side", streams: 4, run: 0)
  private static let others = [
    Pattern(name: "1 stream", streams: 1, run: 0), Pattern(name: "2 streams", streams: 2, run: 0),
    Pattern(name: "4 streams", streams: 4, run: 0),
    Pattern(name: "4 runs of 4 KiB", streams: 4, run: 4096),
    Pattern(name: "8 runs of 4 KiB", streams: 8, run: 4096),
  ]

  private let engine: Engine
  private let matrices: [WeightMatrix]
  let byteCount: Int
  /// The fastest of them on this machine, found once.
  private(set) var fastest = Self.others[0]
  private let arithmetic: cp_arithmetic

  /// Calls `isCancelled` between reads.
  init(_ engine: Engine) {
    self.engine = engine
    // Of an untied embedding a token reads one row.
    matrices = Array(engine.weights.matrices.dropFirst(engine.config.tieWordEmbeddings ? 0 : 1))
    byteCount = matrices.reduce(0) { $0 + $1.byteCount }
    arithmetic =
      switch engine.info.kernels {
      case "amx": CP_TILE_BF16
      case "avx512bf16": CP_DOT_BF16
      case "avx512fp16": CP_FMA_FP16
      case "avx512": CP_FMA_AVX512
      case "avx2": CP_FMA_AVX2
      default: CP_FMA
      }
    var best = 0.0
    // The first read may still be finding its pages.
    _ = bandwidth(Self.asWeightsLie)
    for pattern in Self.others {
      let found = max(bandwidth(pattern), bandwidth(pattern))
      if found > best { (best, fastest) = (found, pattern) }
    }
  }

  var arithmeticName: String { String(cString: cp_arithmetic_name(arithmetic)) }

  /// Bytes a second, the better of the fastest pattern and the one in which the products read.
  func bandwidth() -> Double { max(bandwidth(fastest), bandwidth(Self.asWeightsLie)) }

  private func bandwidth(_ pattern: Pattern) -> Double {
    let digest = Digest()
    // Small models are read many times over, so that the clock has something to measure.
    let repetitions = max(1, (1 << 28) / max(byteCount, 1))
    let matrices = matrices
    let taken = seconds {
      engine.onEveryThread { thread, threadCount in
        var sum: UInt64 = 0
        for _ in 0..<repetitions {
          for matrix in matrices { sum ^= Self.read(matrix, thread, threadCount, pattern) }
        }
        digest.add(sum)
      }
    }
    return Double(byteCount * repetitions) / taken
  }

  private static func read(_ matrix: WeightMatrix, _ thread: Int, _ threadCount: Int, _ pattern: Pattern) -> UInt64 {
    let rowBytes = matrix.cols * matrix.type.byteCount
    let first = matrix.rows * thread / threadCount
    let last = matrix.rows * (thread + 1) / threadCount
    let run = pattern == asWeightsLie ? rowBytes / 64 * 64 : pattern.run
    return cp_read(matrix.data + first * rowBytes, (last - first) * rowBytes, pattern.streams, run)
  }

  /// Operations a second.
  func arithmeticPeak() -> Double {
    let digest = Digest()
    let rounds = 2_000_000
    let kind = arithmetic
    let taken = seconds {
      engine.onEveryThread { _, _ in digest.add(UInt64(cp_multiply(kind, rounds).bitPattern)) }
    }
    return Double(rounds * cp_multiply_operations(kind) * engine.info.threadCount) / taken
  }

  /// Where results go, so that no loop can be left out.
  private final class Digest: Sendable {
    private let value = Atomic<UInt64>(0)
    func add(_ other: UInt64) { value.bitwiseXor(other, ordering: .relaxed) }
  }
}
