#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where models lie on this machine.
public enum ModelDirectories {
  /// What ships with Lacuna: `$LACUNA_SHARE`, else `../share/lacuna` beside the executable's directory, else the
  /// first `share/lacuna` upward from the executable (a checkout with its build folder). nil if there is none.
  public static func share() -> String? {
    share(environment: environment("LACUNA_SHARE"), executable: executablePath())
  }

  /// The plugins that ship with Lacuna: in `share()`, or beside `share` in a checkout. nil if there are none.
  public static func plugins() -> String? {
    guard let share = share() else { return nil }
    let checkout = StagedDirectory.split(StagedDirectory.split(share).parent).parent
    return ["\(share)/plugins", "\(checkout)/plugins"].first { isDirectory($0) }
  }

  /// `$XDG_CACHE_HOME/lacuna`, else `~/.cache/lacuna`; it need not exist. nil without a home directory.
  public static func cache() -> String? {
    cache(xdg: environment("XDG_CACHE_HOME"), home: environment("HOME"))
  }

  package static func share(environment: String?, executable: String?) -> String? {
    if let environment { return environment }
    guard let executable else { return nil }
    var directory = StagedDirectory.split(executable).parent
    let installed = "\(StagedDirectory.split(directory).parent)/share/lacuna"
    if isDirectory(installed) { return installed }
    while directory != "/" && directory != "." {
      if isDirectory("\(directory)/share/lacuna") { return "\(directory)/share/lacuna" }
      directory = StagedDirectory.split(directory).parent
    }
    return nil
  }

  package static func cache(xdg: String?, home: String?) -> String? {
    // The base directory specification has relative paths ignored.
    if let xdg, xdg.hasPrefix("/") { return xdg + "/lacuna" }
    return home.map { $0 + "/.cache/lacuna" }
  }

  private static func environment(_ name: String) -> String? {
    guard let value = getenv(name), value[0] != 0 else { return nil }
    return String(cString: value)
  }

  /// The program's own file, links resolved.
  private static func executablePath() -> String? {
    #if os(Linux)
      let link = "/proc/self/exe"
    #else
      let link = CommandLine.arguments.first ?? ""
    #endif
    guard let resolved = realpath(link, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
