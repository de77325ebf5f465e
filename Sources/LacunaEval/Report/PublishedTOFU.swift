import LacunaEngine

/// Figures that others published for Llama-2-7B on TOFU's own rows, to hold measured ones against.
struct PublishedTOFU: Sendable, Equatable {
  let method: String
  /// As printed: p of the KS test, two digits.
  let forgetQuality: String
  let modelUtility: String

  static let source =
    "model cards of SimNPO-TOFU-forget05 and -forget10 (OPTML-Group), Llama-2-7B-chat, answers sampled"

  /// nil for a split that the cards say nothing about.
  static func rows(_ split: TOFUSplit) -> [PublishedTOFU]? {
    switch split {
    case .forget01: nil
    case .forget05:
      [
        PublishedTOFU(method: "Original", forgetQuality: "0.00", modelUtility: "0.62"),
        PublishedTOFU(method: "Retrained", forgetQuality: "1.00", modelUtility: "0.62"),
        PublishedTOFU(method: "NPO", forgetQuality: "0.79", modelUtility: "0.57"),
        PublishedTOFU(method: "SimNPO", forgetQuality: "0.99", modelUtility: "0.58"),
      ]
    case .forget10:
      [
        PublishedTOFU(method: "Original", forgetQuality: "0.00", modelUtility: "0.62"),
        PublishedTOFU(method: "Retrained", forgetQuality: "1.00", modelUtility: "0.62"),
        PublishedTOFU(method: "NPO", forgetQuality: "0.29", modelUtility: "0.55"),
        PublishedTOFU(method: "SimNPO", forgetQuality: "0.45", modelUtility: "0.62"),
      ]
    }
  }

  /// Of the prompt of TOFU's first row, which every split keeps: tells the benchmark's own data from others in its layout.
  private static let firstPromptHash =
    "34dc5f0d259a94f4ba6a269edc60cae20835d8b8e4a3e5074d24e8586356b28e"

  /// Whether a log is of TOFU's own data.
  static func isOwnData(_ log: TOFULog) -> Bool {
    guard let row = log.tasks[.retain]?.first, row.index == 0, let prompt = row.generated?.prompt
    else { return false }
    return ContentHash.of([prompt]) == firstPromptHash
  }
}
