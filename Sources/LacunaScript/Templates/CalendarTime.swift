#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The day and hour that a chat template may write into a prompt.
struct CalendarTime {
  private let fields: tm

  /// Local time; where SOURCE_DATE_EPOCH is set (reproducible-builds.org), the second that it names in UTC, so that a
  /// prompt can be made again on another day.
  static var now: CalendarTime {
    var fields = tm()
    if let text = getenv("SOURCE_DATE_EPOCH"), let fixed = Int(String(cString: text)),
      var seconds = time_t(exactly: fixed)
    {
      gmtime_r(&seconds, &fields)
    } else {
      var seconds = time(nil)
      localtime_r(&seconds, &fields)
    }
    return CalendarTime(fields: fields)
  }

  /// As Lua's `os.date "*t"` gives it.
  var record: LuaValue {
    .record([
      "year": .count(Int(fields.tm_year) + 1900), "month": .count(Int(fields.tm_mon) + 1),
      "day": .count(Int(fields.tm_mday)), "hour": .count(Int(fields.tm_hour)), "min": .count(Int(fields.tm_min)),
      "sec": .count(Int(fields.tm_sec)), "wday": .count(Int(fields.tm_wday) + 1),
      "yday": .count(Int(fields.tm_yday) + 1),
    ])
  }
}
