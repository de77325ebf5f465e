internal import LacunaEngine

extension ScriptContext {
  /// `lacuna.stats`: what summaries of measurements need.
  func registerStats() {
    state.register("lacuna.stats", "mean", "table") { call in [.number(Statistics.mean(try call.numbers(1)))] }
    state.register("lacuna.stats", "harmonic_mean", "table") { call in
      [.number(Statistics.harmonicMean(try call.numbers(1)))]
    }
    state.register("lacuna.stats", "quantile", "table, number") { call in
      let share = call[2].double ?? .nan
      guard (0...1).contains(share) else { throw HostFault.argument(2, "expected 0 to 1, found \(call[2].shown)") }
      return [.number(Statistics.quantile(try call.numbers(1), share))]
    }
    state.register("lacuna.stats", "auc", "table, table") { call in
      [.number(Statistics.auc(positives: try call.numbers(1), negatives: try call.numbers(2)))]
    }
    // The exact two-sample Kolmogorov-Smirnov test.
    state.register("lacuna.stats", "ks2", "table, table") { call in
      let (x, y) = (try call.numbers(1), try call.numbers(2))
      let test: TwoSampleKS
      do throws(LacunaError) {
        test = try TwoSampleKS(x, y)
      } catch {
        throw HostFault.error(code: error.code.description, message: error.message)
      }
      return [
        .record([
          "p": .number(test.p), "D": .number(test.distance), "k": .count(test.k), "n": .count(test.n),
          "m": .count(test.m),
        ])
      ]
    }
  }

  /// `lacuna.text`: texts compared.
  func registerText() {
    // Recalls, as rouge_score 0.1.2 counts them with its stemmer.
    state.register("lacuna.text", "rouge", "string, string") { call in
      let rouge = Rouge(target: call.string(1), prediction: call.string(2))
      return [.record(["rouge1": .number(rouge.rouge1Recall), "rougeL": .number(rouge.rougeLRecall)])]
    }
    // Bytes of the text when zlib compresses it.
    state.register("lacuna.text", "zlib_size", "string") { [.count(Statistics.zlibSize($0.string(1)))] }
  }
}

extension HostCall {
  /// A list of numbers.
  fileprivate func numbers(_ index: Int) throws(HostFault) -> [Double] {
    guard case .table(let table) = self[index], table.fields.isEmpty else {
      throw .argument(index, "expected a list of numbers, found \(self[index].kind)")
    }
    var numbers: [Double] = []
    numbers.reserveCapacity(table.array.count)
    for (position, element) in table.array.enumerated() {
      guard let number = element.double else {
        throw .argument(index, "expected a list of numbers, found \(element.kind) at \(position + 1)")
      }
      numbers.append(number)
    }
    return numbers
  }
}
