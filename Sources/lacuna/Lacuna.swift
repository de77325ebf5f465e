import ArgumentParser

@main
struct Lacuna: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "lacuna")
}
