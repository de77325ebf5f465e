extension ScriptContext {
  /// `lacuna.log`: info("message", { key = value }).
  func registerLog() {
    for level in [ScriptEnvironment.LogLevel.debug, .info, .warn, .error] {
      state.register("lacuna.log", level.rawValue, "any, table?") { [unowned self] call in
        var line = call[1].plainText
        if case .table(let table) = call[2] {
          let fields = table.fields.map { "\($0.key.plainText)=\(JSONCodec.line($0.value))" }
          for field in table.array.map({ JSONCodec.line($0) }) + fields.sorted() { line += " " + field }
        }
        // One record a line, whatever a model wrote into it.
        guard let line = state.admit(line.escapingControlCharacters) else { return [] }
        environment.log(level, line)
        return []
      }
    }
  }
}

extension LuaValue {
  /// Texts as they are, everything else as JSON.
  var plainText: String { if case .string(let text) = self { text } else { JSONCodec.line(self) } }
}

extension String {
  fileprivate var escapingControlCharacters: String {
    guard unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.value < 0x20 || scalar.value == 0x7F {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}
