import GRDB
public import LacunaEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Measurements in an SQLite file: a row an item, committed as soon as it was measured.
///
/// While it is written the file is in WAL mode, so that a process that is killed at any moment leaves every committed record
/// behind, and a reader may look on while a run goes on. One writer at a time. Whoever has written leaves one file, which is
/// read without another beside it, also in a folder that cannot be written.
public final class ResultStore: Sendable {
  /// Which of a probe's models was measured.
  public enum Role: String, Sendable, CaseIterable {
    case model, original, reference
  }

  /// What belongs together in a file: one probe's records of one model, run in one format.
  public struct Series: Hashable, Sendable {
    /// "tofu", or a plugin's probe as "plugin/probe".
    public var probe: String
    public var role: Role
    /// How the weights were run, where a probe is measured in several formats: "bf16", "int4"; else empty.
    public var format: String

    public init(probe: String, role: Role, format: String = "") {
      self.probe = probe
      self.role = role
      self.format = format
    }
  }

  /// One measurement.
  public struct Record: Sendable, Equatable {
    /// Rows that are believed, of files that others may have written.
    static let rows = 0...10_000_000

    public var task: String
    /// The item's place in its data, from 0.
    public var row: Int
    /// SHA-256 of the item.
    public var itemHash: String
    /// What was measured, as JSON.
    public var value: String

    public init(task: String, row: Int, itemHash: String, value: String) {
      self.task = task
      self.row = row
      self.itemHash = itemHash
      self.value = value
    }
  }

  /// What was asked, where records do not say it themselves.
  public struct Item: Sendable, Equatable {
    /// The `itemHash` of its records.
    public var hash: String
    public var question: String
    public var answer: String

    public init(hash: String, question: String, answer: String) {
      self.hash = hash
      self.question = question
      self.answer = answer
    }
  }

  /// As errors name it.
  public let path: String
  private let database: DatabaseQueue
  private let isWritten: Bool
  /// A path for records that are not kept.
  public static let inMemory = ":memory:"
  /// "LACU": tells our files from other SQLite databases.
  private static let applicationID = 0x4C41_4355
  private static let version = 3

  public enum Opening: Sendable {
    /// There must be no file yet.
    case create
    /// The file may be there.
    case createOrContinue
    /// The file must be there.
    case read
  }

  /// - Parameter name: what errors call it, in place of its path.
  /// - Throws: `invalidArgument` for a file that is there and should not be, `notFound`, `malformed` for a file of another
  ///   kind, `resource`.
  public init(path: String, _ opening: Opening, name: String? = nil) throws(LacunaError) {
    self.path = name ?? path
    isWritten = opening != .read
    let exists = fileExists(path)
    if isDirectory(path) { throw LacunaError(.malformed, "\(path): expected a run of `lacuna eval`, found a folder") }
    if exists, opening == .create {
      throw LacunaError(
        .invalidArgument, "\(path): exists already; --resume goes on with it, or choose another name")
    }
    if !exists, opening == .read { throw LacunaError(.notFound, "\(path): no such run") }
    let database = try Self.attempt(path) {
      var configuration = Configuration()
      configuration.readonly = opening == .read
      configuration.busyMode = .timeout(10)
      let database = try DatabaseQueue(path: path, configuration: configuration)
      if opening != .read { try database.write(Self.prepare) }
      return database
    }
    let found = try Self.attempt(path) {
      try database.read {
        try (Int.fetchOne($0, sql: "PRAGMA application_id"), Int.fetchOne($0, sql: "PRAGMA user_version"))
      }
    }
    guard found.0 == Self.applicationID else {
      throw LacunaError(.malformed, "\(path): expected a run of `lacuna eval`, found another SQLite file")
    }
    guard found.1 == Self.version else {
      throw LacunaError(
        .unsupported, file: path, field: "version", expected: "\(Self.version)", found: "\(found.1 ?? 0)")
    }
    // Only now: from here on `deinit` may change the file, which is one of ours.
    self.database = database
    guard isWritten else { return }
    try Self.attempt(path) {
      // Outside a transaction, where the journal's mode can change.
      try database.inDatabase { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        // A killed process loses nothing; a power cut may cost the last records, and never the file.
        try db.execute(sql: "PRAGMA synchronous = NORMAL")
      }
    }
  }

  deinit {
    // Fails at once while another has the file open, who then needs the mode that it is in.
    if isWritten { try? database.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = DELETE") } }
  }

  private static func prepare(_ db: Database) throws {
    guard try Int.fetchOne(db, sql: "PRAGMA schema_version") == 0 else { return }
    try db.execute(
      sql: """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        CREATE TABLE run (
          id INTEGER PRIMARY KEY, probe TEXT NOT NULL, role TEXT NOT NULL, format TEXT NOT NULL,
          probe_hash TEXT NOT NULL, parameters TEXT NOT NULL, data_hash TEXT NOT NULL, model TEXT NOT NULL,
          model_hash TEXT NOT NULL, weights TEXT NOT NULL, precision TEXT NOT NULL, kv TEXT NOT NULL,
          kernels TEXT NOT NULL, seed TEXT NOT NULL, UNIQUE (probe, role, format)
        ) STRICT;
        CREATE TABLE task (
          run INTEGER NOT NULL REFERENCES run, task TEXT NOT NULL, wanted INTEGER NOT NULL, PRIMARY KEY (run, task)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE record (
          run INTEGER NOT NULL REFERENCES run, task TEXT NOT NULL, row INTEGER NOT NULL, item_hash TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (run, task, row)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE item (
          hash TEXT PRIMARY KEY, question TEXT NOT NULL, answer TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        """)
  }

  /// Writes everything into a new file, which has its name once it is whole.
  /// - Throws: `invalidArgument` for a file that is there already; `resource`.
  public func save(as path: String) throws(LacunaError) {
    guard !fileExists(path) else { throw LacunaError(.invalidArgument, "\(path): exists already; choose another name") }
    let partial = "\(path).\(getpid()).partial"
    defer { unlink(partial) }
    do throws(LacunaError) {
      try Self.attempt(path) { try database.vacuum(into: partial) }
    } catch {
      throw LacunaError(error.code, error.message.replacing(partial, with: path))
    }
    guard rename(partial, path) == 0 else {
      throw LacunaError(.resource, "\(path): \(String(cString: strerror(errno)))")
    }
  }

  // MARK: Series

  /// What the file holds, in the order in which it was begun.
  public func series() throws(LacunaError) -> [Series] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT probe, role, format FROM run ORDER BY id").compactMap { row in
        Role(rawValue: row["role"]).map { Series(probe: row["probe"], role: $0, format: row["format"]) }
      }
    }
  }

  /// Begins a series, or goes on with it.
  /// - Parameters:
  ///   - wanted: rows of each task that the whole series is to have, of all parts together.
  ///   - file: what errors name, if another than this.
  /// - Throws: `invalidArgument` naming what differs from how it began.
  public func begin(
    _ identity: RunIdentity, role: Role, format: String = "", wanted: [String: Int] = [:], from file: String? = nil
  ) throws(LacunaError) {
    let series = Series(probe: identity.probe, role: role, format: format)
    let earlier = try self.identity(of: series)
    if let earlier { try identity.check(continues: earlier, in: file ?? path) }
    try attempt { db in
      if earlier == nil {
        let columns = [("role", role.rawValue), ("format", format)] + identity.fields.map { ($0.name, $0.value) }
        let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
        try db.execute(
          sql: "INSERT INTO run (\(columns.map(\.0).joined(separator: ", "))) VALUES (\(marks))",
          arguments: StatementArguments(columns.map(\.1)))
      }
      for (task, count) in wanted {
        // Whoever asks for fewer rows later does not make a whole of what is none.
        try db.execute(
          sql: """
            INSERT INTO task (run, task, wanted) SELECT id, ?, ? FROM run WHERE probe = ? AND role = ? AND format = ?
            ON CONFLICT (run, task) DO UPDATE SET wanted = max(wanted, excluded.wanted)
            """, arguments: [task, count] + Self.key(series))
      }
    }
  }

  /// Rows of each task that a series is to have; empty where nobody said.
  func wanted(of series: Series) throws(LacunaError) -> [String: Int] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT task.task, wanted FROM task JOIN run ON run.id = task.run
          WHERE probe = ? AND role = ? AND format = ?
          """, arguments: Self.key(series)
      ).reduce(into: [:]) { $0[$1["task"]] = $1["wanted"] }
    }
  }

  /// What is missing, a sentence a series that has not all rows which it is to have.
  public func shortfalls() throws(LacunaError) -> [String] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT probe, role, format, sum(wanted) AS total, sum(min(wanted, (
            SELECT count(*) FROM record WHERE record.run = task.run AND record.task = task.task))) AS measured
          FROM task JOIN run ON run.id = task.run GROUP BY run.id HAVING measured < total ORDER BY run.id
          """
      ).map { row in
        let name = ["probe", "role", "format"].map { row[$0] as String }.filter { !$0.isEmpty }.joined(separator: ", ")
        return
          "\(path): \(name): \(row["measured"] as Int) of \(row["total"] as Int) rows measured; --resume finishes a run, "
          + "`lacuna merge` joins parts"
      }
    }
  }

  /// nil where the series was not begun.
  public func identity(of series: Series) throws(LacunaError) -> RunIdentity? {
    try read { db in
      guard
        let row = try Row.fetchOne(
          db, sql: "SELECT * FROM run WHERE probe = ? AND role = ? AND format = ?", arguments: Self.key(series))
      else { return nil }
      return RunIdentity(
        probe: series.probe, probeHash: row["probe_hash"], parameters: row["parameters"], dataHash: row["data_hash"],
        modelName: row["model"], modelHash: row["model_hash"], weights: row["weights"], precision: row["precision"],
        kvType: row["kv"], kernels: row["kernels"], seed: UInt64(row["seed"] as String) ?? 0)
    }
  }

  // MARK: Records

  /// Commits measurements: all of them or none.
  public func add(_ records: [Record], to series: Series) throws(LacunaError) {
    try attempt { db in
      let statement = try db.cachedStatement(
        sql: """
          INSERT INTO record (run, task, row, item_hash, value)
          SELECT id, ?, ?, ?, ? FROM run WHERE probe = ? AND role = ? AND format = ?
          """)
      for record in records {
        try statement.execute(
          arguments: [record.task, record.row, record.itemHash, record.value] + Self.key(series))
      }
    }
  }

  /// Keeps what was asked, each once.
  public func add(_ items: [Item]) throws(LacunaError) {
    try attempt { db in
      let statement = try db.cachedStatement(
        sql: "INSERT OR IGNORE INTO item (hash, question, answer) VALUES (?, ?, ?)")
      for item in items { try statement.execute(arguments: [item.hash, item.question, item.answer]) }
    }
  }

  /// What was asked and kept, by its hash.
  public func items() throws(LacunaError) -> [String: Item] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM item").reduce(into: [:]) {
        $0[$1["hash"]] = Item(hash: $1["hash"], question: $1["question"], answer: $1["answer"])
      }
    }
  }

  /// A task's records in the order of the data.
  /// - Throws: `malformed` for a row that no data has.
  public func records(of series: Series, task: String) throws(LacunaError) -> [Record] {
    let records = try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT record.* FROM record JOIN run ON run.id = record.run
          WHERE probe = ? AND role = ? AND format = ? AND task = ? ORDER BY row
          """, arguments: Self.key(series) + [task]
      ).map { Record(task: task, row: $0["row"], itemHash: $0["item_hash"], value: $0["value"]) }
    }
    for record in records where !Record.rows.contains(record.row) {
      throw LacunaError(
        .malformed, file: path, field: "\(series.probe), \(series.role.rawValue), \(task): row",
        expected: "\(Record.rows.lowerBound) to \(Record.rows.upperBound)", found: "\(record.row)")
    }
    return records
  }

  /// Tasks that have records, sorted.
  public func tasks(of series: Series) throws(LacunaError) -> [String] {
    try read { db in
      try String.fetchAll(
        db,
        sql: """
          SELECT DISTINCT task FROM record JOIN run ON run.id = record.run
          WHERE probe = ? AND role = ? AND format = ? ORDER BY task
          """, arguments: Self.key(series))
    }
  }

  /// Takes over another store's series and records.
  /// - Throws: `invalidArgument` where the two disagree on how a run was made or on what an item yielded.
  public func merge(_ other: ResultStore) throws(LacunaError) {
    try add(Array(try other.items().values))
    for series in try other.series() {
      guard let identity = try other.identity(of: series) else { continue }
      try begin(
        identity, role: series.role, format: series.format, wanted: try other.wanted(of: series), from: other.path)
      for task in try other.tasks(of: series) {
        let known = Dictionary(uniqueKeysWithValues: try records(of: series, task: task).map { ($0.row, $0) })
        var new: [Record] = []
        for record in try other.records(of: series, task: task) {
          guard let mine = known[record.row] else {
            new.append(record)
            continue
          }
          guard mine == record else {
            throw LacunaError(
              .invalidArgument,
              "\(other.path): \(series.probe), \(series.role.rawValue), \(task), row \(record.row): differs from what is "
                + "merged already")
          }
        }
        try add(new, to: series)
      }
    }
  }

  private static func key(_ series: Series) -> StatementArguments {
    [series.probe, series.role.rawValue, series.format]
  }

  // MARK: Errors

  private func attempt(_ body: (Database) throws -> Void) throws(LacunaError) {
    try Self.attempt(path) { try database.write(body) }
  }

  private func read<T>(_ body: (Database) throws -> T) throws(LacunaError) -> T {
    try Self.attempt(path) { try database.read(body) }
  }

  private static func attempt<T>(_ path: String, _ body: () throws -> T) throws(LacunaError) -> T {
    do {
      return try body()
    } catch let error as DatabaseError {
      let code: LacunaError.Code =
        switch error.resultCode {
        case .SQLITE_NOTADB, .SQLITE_CORRUPT: .malformed
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY: .unreadable
        default: .resource
        }
      throw LacunaError(code, "\(path): \(error.message ?? error.description)")
    } catch {
      throw LacunaError(.resource, "\(path): \(error)")
    }
  }
}
