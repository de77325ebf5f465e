-- strftime_now: the host's `now` { year, month, day, hour, min, sec, wday (1 is Sunday), yday } by C's letters, in English.
local DAYS <const> = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" }
local MONTHS <const> = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December" }

local function two(name) return function(now) return ("%02d"):format(now[name]) end end
local function hour12(now) return (now.hour + 11) % 12 + 1 end
local FIELDS <const> = {
  Y = function(now) return ("%d"):format(now.year) end,
  y = function(now) return ("%02d"):format(now.year % 100) end,
  m = two "month", d = two "day", H = two "hour", M = two "min", S = two "sec",
  e = function(now) return ("%2d"):format(now.day) end,
  I = function(now) return ("%02d"):format(hour12(now)) end,
  p = function(now) return now.hour < 12 and "AM" or "PM" end,
  j = function(now) return ("%03d"):format(now.yday) end,
  w = function(now) return ("%d"):format(now.wday - 1) end,
  u = function(now) return ("%d"):format((now.wday + 5) % 7 + 1) end,
  A = function(now) return DAYS[now.wday] end, a = function(now) return DAYS[now.wday]:sub(1, 3) end,
  B = function(now) return MONTHS[now.month] end, b = function(now) return MONTHS[now.month]:sub(1, 3) end,
  ["%"] = function() return "%" end, n = function() return "\n" end, t = function() return "\t" end,
}
FIELDS.h = FIELDS.b

local function format(pattern, now)
  return (pattern:gsub("%%([-]?)(.?)", function(unpadded, letter)
    if letter == "F" then return format("%Y-%m-%d", now) end
    if letter == "T" then return format("%H:%M:%S", now) end
    if letter == "R" then return format("%H:%M", now) end
    if letter == "D" then return format("%m/%d/%y", now) end
    local field <const> = FIELDS[letter]
    if not field then error(("strftime_now: no conversion %%%s"):format(letter), 0) end
    local s <const> = field(now)
    return unpadded ~= "" and s:gsub("^[0 ]+(.)", "%1") or s
  end))
end

return format
