extension AddedToken {
  /// Hugging Face's form, in tokenizer.json's `added_tokens` and tokenizer_config.json's `added_tokens_decoder`.
  init(_ json: JSONValue, id: Int?, field: String, file: String) throws(LacunaError) {
    guard let content = json.member("content")?.string else {
      throw LacunaError(
        .malformed, file: file, field: "\(field).content", expected: "a string",
        found: json["content"]?.shown ?? "nothing")
    }
    guard let number = id ?? json.member("id")?.integer, number >= 0, let id = TokenID(exactly: number) else {
      throw LacunaError(
        .malformed, file: file, field: "\(field).id", expected: "a token id", found: json["id"]?.shown ?? "nothing")
    }
    func flag(_ name: String) throws(LacunaError) -> Bool {
      guard let value = json.member(name) else { return false }
      guard let flag = value.bool else {
        throw LacunaError(
          .malformed, file: file, field: "\(field).\(name)", expected: "true or false", found: value.shown)
      }
      return flag
    }
    self.init(
      id: id, content: content, special: try flag("special"), stripsLeft: try flag("lstrip"),
      stripsRight: try flag("rstrip"), singleWord: try flag("single_word"))
  }
}
