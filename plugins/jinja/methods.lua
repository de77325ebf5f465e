-- Methods of Python's strings, lists and dicts, as templates call them: method(value, arguments), where `arguments` has
-- the positional ones from 1 and the others in `named`.
local text <const> = require "text"
local values <const> = require "values"
local format <const> = require "format"

local NONE <const>, REQUIRED <const> = values.NONE, values.REQUIRED
local take <const>, str <const>, whole <const> = values.take, values.string, values.whole

local function stripper(side, name)
  return function(v, arguments)
    local set <const> = take(name, arguments, { "/chars", NONE })
    if set == NONE then return text.strip(v, side) end
    local drops = {}
    for _, code in utf8.codes(text.raw(str(set, name))) do drops[code] = true end
    return text.strip(v, side, function(code) return drops[code] end)
  end
end

-- The byte ranges of a plain string in another; at most `limit` of them, none overlapping, from the left or the right.
local function ranges(v, needle, limit)
  local s <const>, found, at = text.raw(v), {}, 1
  while not limit or #found < limit do
    local i <const>, j <const> = s:find(needle, at, true)
    if not i then break end
    found[#found + 1] = { i, j }
    at = j + 1
  end
  return found
end
local function ranges_backwards(v, needle, limit)
  local back <const>, found = ranges(text.raw(v):reverse(), needle:reverse(), limit), {}
  local size <const> = #text.raw(v)
  for i, range in ipairs(back) do found[#back - i + 1] = { size - range[2] + 1, size - range[1] + 1 } end
  return found
end

-- The two arguments of split and rsplit: a separator, nil for white space, and how often, nil for always.
local function splitting(name, arguments)
  local separator <const>, most = take(name, arguments, { "sep", NONE, "maxsplit", -1 })
  most = whole(most, name)
  if most < 0 then most = nil end
  if separator == NONE then return nil, most end
  local needle <const> = text.raw(str(separator, name))
  if needle == "" then error(name .. ": an empty separator", 0) end
  return needle, most
end

local function split(v, arguments)
  local needle <const>, most = splitting("split", arguments)
  if needle then return values.list(text.cut(v, ranges(v, needle, most))) end
  -- Without a separator: words between white space, none of them empty.
  local rest, parts = text.strip(v, "left"), {}
  while text.raw(rest) ~= "" do
    local s <const>, cut = text.raw(rest), nil
    if not most or #parts < most then
      for i, code in utf8.codes(s) do
        if text.is_space(code) then cut = i break end
      end
    end
    if not cut then
      parts[#parts + 1] = most and #parts == most and rest or text.strip(rest, "right")
      break
    end
    parts[#parts + 1] = text.sub(rest, 1, cut - 1)
    rest = text.strip(text.sub(rest, cut, -1), "left")
  end
  return values.list(parts)
end

local function rsplit(v, arguments)
  local needle <const>, most = splitting("rsplit", arguments)
  if not needle then
    if most then error("rsplit: expected a separator", 0) end
    return split(v, { named = {} })
  end
  return values.list(text.cut(v, ranges_backwards(v, needle, most)))
end

-- (before, separator, after) at the first or the last place of a separator.
local function partition(name, find, at_end)
  return function(v, arguments)
    local separator <const> = str(take(name, arguments, { "/sep", REQUIRED }), name)
    if text.raw(separator) == "" then error(name .. ": an empty separator", 0) end
    local range <const> = find(v, text.raw(separator), 1)[1]
    if not range then return values.tuple(at_end and { "", "", v } or { v, "", "" }) end
    return values.tuple { text.sub(v, 1, range[1] - 1), separator, text.sub(v, range[2] + 1, -1) }
  end
end

-- Where `find` and its like look: the text between two places, where it begins, and what is looked for.
local WINDOW <const> = { "/sub", REQUIRED, "/start", NONE, "/end", NONE }
local function window(name, v, arguments)
  local sub <const>, first, last = take(name, arguments, WINDOW)
  first, last = first ~= NONE and whole(first, name) or nil, last ~= NONE and whole(last, name) or nil
  local n <const> = text.len(v)
  if first and first > n then return nil, 0, sub end
  local start = first or 0
  if start < 0 then start = math.max(0, start + n) end
  return text.raw(values.slice(v, first, last)), start, sub
end

-- v.startswith(x) and v.endswith(x), where x may be several.
local function affix(name, has)
  return function(v, arguments)
    local s <const>, _, sub = window(name, v, arguments)
    for _, each in ipairs(values.kind(sub) == "tuple" and sub or { sub }) do
      local x <const> = text.raw(str(each, name))
      if s and has(s, x) then return true end
    end
    return false
  end
end
local function starts(s, x) return s:sub(1, #x) == x end
local function ends(s, x) return x == "" or s:sub(-#x) == x end

-- The index of a text's first or last place; -1, or an error where `must` says so.
local function position(name, find, must)
  return function(v, arguments)
    local s <const>, start, sub = window(name, v, arguments)
    local needle <const> = text.raw(str(sub, name))
    local range <const> = s and (needle == "" and { find == ranges and 1 or #s + 1 } or find(s, needle, 1)[1])
    if range then return start + text.len(s:sub(1, range[1] - 1)) end
    if must then error(name .. ": the text is not there", 0) end
    return -1
  end
end

local function count(v, arguments)
  local s <const>, _, sub = window("count", v, arguments)
  local needle <const> = text.raw(str(sub, "count"))
  if not s then return 0 end
  return needle == "" and text.len(s) + 1 or #ranges(s, needle)
end

local function replace(v, arguments)
  local from, to, most = take("replace", arguments, { "/old", REQUIRED, "/new", REQUIRED, "count", -1 })
  from, to, most = text.raw(str(from, "replace")), str(to, "replace"), whole(most, "replace")
  if most < 0 then most = nil end
  if from ~= "" then return text.join(text.cut(v, ranges(v, from, most)), to) end
  -- The empty text is in front of every character, and at the end.
  local characters <const>, parts = text.characters(v), {}
  for i = 1, #characters + 1 do
    if not most or i <= most then parts[#parts + 1] = to end
    parts[#parts + 1] = characters[i]
  end
  return text.join(parts)
end

-- Where lines end, as byte ranges.
local ENDS <const> = { [0x0A] = true, [0x0B] = true, [0x0C] = true, [0x0D] = true, [0x1C] = true, [0x1D] = true,
  [0x1E] = true, [0x85] = true, [0x2028] = true, [0x2029] = true }
local function splitlines(v, arguments)
  local keep <const> = whole(take("splitlines", arguments, { "keepends", false }), "splitlines") ~= 0
  local s <const>, lines, start = text.raw(v), {}, 1
  for i, code in utf8.codes(s) do
    -- "\r\n" is one end.
    if i >= start and ENDS[code] then
      local after <const> = s:sub(i, i + 1) == "\r\n" and i + 2 or utf8.offset(s, 2, i)
      lines[#lines + 1] = text.sub(v, start, keep and after - 1 or i - 1)
      start = after
    end
  end
  if start <= #s then lines[#lines + 1] = text.sub(v, start, -1) end
  return values.list(lines)
end

local function justified(name, align)
  return function(v, arguments)
    local width, fill = take(name, arguments, { "/width", REQUIRED, "/fillchar", " " })
    width = whole(width, name)
    if text.len(str(fill, name)) ~= 1 then error(name .. ": expected one character to fill with", 0) end
    if align ~= "^" then return format.pad(v, width, align, fill) end
    -- Python leaves the odd one on the left where the width is odd.
    local missing <const> = math.max(0, width - text.len(v))
    return format.pad(format.pad(v, text.len(v) + missing // 2 + (missing & width & 1), ">", fill), width, "<", fill)
  end
end

local function zfill(v, arguments)
  local width <const> = whole(take("zfill", arguments, { "/width", REQUIRED }), "zfill")
  local sign <const> = text.raw(v):find("^[+-]") and 1 or 0
  local digits <const> = text.sub(v, sign + 1, -1)
  return text.concat(text.sub(v, 1, sign), format.pad(digits, width - sign, ">", "0"))
end

local function capitalize(v)
  local first <const> = text.case(text.slice(v, 0, math.min(1, text.len(v))), "capitalize", string.upper)
  local rest <const> = text.case(text.slice(v, math.min(1, text.len(v)), text.len(v)), "capitalize", string.lower)
  return text.concat(first, rest)
end

local function plain(name, body)
  return function(v, arguments)
    take(name, arguments, {})
    return body(v)
  end
end

local function all_of(name, pattern)
  return plain(name, function(v) return text.ascii(v, name):find("^" .. pattern .. "+$") ~= nil end)
end

local function is_space(v)
  for _, code in utf8.codes(text.raw(v)) do
    if not text.is_space(code) then return false end
  end
  return text.raw(v) ~= ""
end

local function remover(name, cut)
  return function(v, arguments)
    return cut(v, text.raw(str(take(name, arguments, { "/affix", REQUIRED }), name)))
  end
end

local strings <const> = {
  strip = stripper(nil, "strip"), lstrip = stripper("left", "lstrip"), rstrip = stripper("right", "rstrip"),
  split = split, rsplit = rsplit, splitlines = splitlines, replace = replace, count = count,
  partition = partition("partition", ranges), rpartition = partition("rpartition", ranges_backwards, true),
  startswith = affix("startswith", starts), endswith = affix("endswith", ends),
  find = position("find", ranges), rfind = position("rfind", ranges_backwards),
  index = position("index", ranges, true), rindex = position("rindex", ranges_backwards, true),
  ljust = justified("ljust", "<"), rjust = justified("rjust", ">"), center = justified("center", "^"), zfill = zfill,
  capitalize = plain("capitalize", capitalize),
  upper = plain("upper", function(v) return text.case(v, "upper", string.upper) end),
  lower = plain("lower", function(v) return text.case(v, "lower", string.lower) end),
  title = plain("title", function(v)
    return text.case(v, "title", function(word) return word:sub(1, 1):upper() .. word:sub(2):lower() end)
  end),
  isdigit = all_of("isdigit", "%d"), isalpha = all_of("isalpha", "%a"), isalnum = all_of("isalnum", "%w"),
  isspace = plain("isspace", is_space),
  isupper = plain("isupper", function(v) return text.ascii(v, "isupper"):find("%u") ~= nil and not text.raw(v):find("%l") end),
  islower = plain("islower", function(v) return text.ascii(v, "islower"):find("%l") ~= nil and not text.raw(v):find("%u") end),
  join = function(v, arguments)
    local parts = {}
    for i, item in ipairs(values.items(take("join", arguments, { "/iterable", REQUIRED }))) do parts[i] = str(item, "join") end
    return text.join(parts, v)
  end,
  removeprefix = remover("removeprefix", function(v, x) return starts(text.raw(v), x) and text.sub(v, #x + 1, -1) or v end),
  removesuffix = remover("removesuffix", function(v, x)
    return ends(text.raw(v), x) and text.sub(v, 1, #text.raw(v) - #x) or v
  end),
  format = format.braces,
}

-- A dict's keys, values or pairs, as a view that can be looped over.
local function view(name, element)
  return plain(name, function(v)
    local items = {}
    for i, key in ipairs(v.keys) do items[i] = element(key, values.lookup(v, key)) end
    return values.view("dict_" .. name, items)
  end)
end

local dicts <const> = {
  keys = view("keys", function(key) return key end),
  values = view("values", function(_, value) return value end),
  items = view("items", function(key, value) return values.tuple { key, value } end),
  get = function(v, arguments)
    local key <const>, otherwise = take("get", arguments, { "/key", REQUIRED, "/default", NONE })
    local found <const> = values.lookup(v, key)
    if found == nil then return otherwise end
    return found
  end,
}

local lists <const> = {
  index = function(v, arguments)
    local wanted <const> = take("index", arguments, { "/value", REQUIRED })
    for i, item in ipairs(v) do
      if values.equal(item, wanted) then return i - 1 end
    end
    error("index: it is not in the list", 0)
  end,
  count = function(v, arguments)
    local wanted <const>, n = take("count", arguments, { "/value", REQUIRED }), 0
    for _, item in ipairs(v) do
      if values.equal(item, wanted) then n = n + 1 end
    end
    return n
  end,
}

return { str = strings, dict = dicts, list = lists, tuple = lists }
