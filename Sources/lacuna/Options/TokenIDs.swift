import ArgumentParser
import LacunaEngine

/// Token ids as an argument: "1,5,9".
struct TokenIDs: ExpressibleByArgument {
  let ids: [TokenID]

  init?(argument: String) {
    var ids: [TokenID] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      guard let id = TokenID(part.filter { $0 != " " }), id >= 0 else { return nil }
      ids.append(id)
    }
    self.ids = ids
  }
}
