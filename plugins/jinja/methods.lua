-- Methods of Python's strings, lists and dicts, as templates call them: method(value, arguments), where `arguments` has
-- the positional ones from 1 and the others in `named`.
local text <const> = require "text"
local values <const> = require "values"

local function str(v, what)
  if not text.is(v) then error(("%s: expected a str, found a %s"):format(what, values.kind(v)), 0) end
  return v
end

local function stripper(side, name)
  return function(v, arguments)
    local set <const> = arguments[1]
    if set == nil or set == values.NONE then return text.strip(v, side) end
    local drops = {}
    for _, code in utf8.codes(text.raw(str(set, name))) do drops[code] = true end
    return text.strip(v, side, function(code) return drops[code] end)
  end
end

-- The byte ranges of a plain string in another; at most `limit`, none overlapping.
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

local function split(v, arguments)
  local separator <const> = arguments[1] or arguments.named.sep or values.NONE
  local most = arguments[2] or arguments.named.maxsplit or -1
  if most < 0 then most = nil end
  if separator ~= values.NONE then
    local needle <const> = text.raw(str(separator, "split"))
    if needle == "" then error("split: an empty separator", 0) end
    return values.list(text.cut(v, ranges(v, needle, most)))
  end
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
  local separator <const>, most <const> = arguments[1] or values.NONE, arguments[2] or arguments.named.maxsplit or -1
  if separator == values.NONE then error("rsplit: expected a separator", 0) end
  local all <const> = ranges(v, text.raw(str(separator, "rsplit")))
  local first <const> = most < 0 and 1 or math.max(1, #all - most + 1)
  return values.list(text.cut(v, table.move(all, first, #all, 1, {})))
end

-- v.startswith(x) and v.endswith(x), where x may be several.
local function affix(name, has)
  return function(v, arguments)
    local choices <const> = values.kind(arguments[1]) == "tuple" and arguments[1] or { arguments[1] }
    for _, each in ipairs(choices) do
      if has(text.raw(v), text.raw(str(each, name))) then return true end
    end
    return false
  end
end
local function starts(s, x) return s:sub(1, #x) == x end
local function ends(s, x) return x == "" or s:sub(-#x) == x end

local function replace(v, arguments)
  local from <const>, to <const> = text.raw(str(arguments[1], "replace")), str(arguments[2], "replace")
  local most <const> = arguments[3] or arguments.named.count or -1
  if from == "" then error("replace: an empty text", 0) end
  return text.join(text.cut(v, ranges(v, from, most >= 0 and most or nil)), to)
end

-- A character's index, as find gives it.
local function position(v, byte) return byte and utf8.len(text.raw(v), 1, byte) - 1 or -1 end

local function capitalize(v)
  local first <const> = text.case(text.slice(v, 0, math.min(1, text.len(v))), "capitalize", string.upper)
  local rest <const> = text.case(text.slice(v, math.min(1, text.len(v)), text.len(v)), "capitalize", string.lower)
  return text.concat(first, rest)
end

local function all_of(pattern)
  return function(v) return text.raw(v):find("^" .. pattern .. "+$") ~= nil end
end

local strings <const> = {
  strip = stripper(nil, "strip"), lstrip = stripper("left", "lstrip"), rstrip = stripper("right", "rstrip"),
  split = split, rsplit = rsplit, replace = replace, capitalize = capitalize,
  startswith = affix("startswith", starts), endswith = affix("endswith", ends),
  upper = function(v) return text.case(v, "upper", string.upper) end,
  lower = function(v) return text.case(v, "lower", string.lower) end,
  title = function(v)
    return text.case(v, "title", function(word) return word:sub(1, 1):upper() .. word:sub(2):lower() end)
  end,
  isdigit = all_of "%d", isalpha = all_of "%a", isalnum = all_of "%w", isspace = all_of "%s",
  isupper = function(v) return text.raw(v):find("%u") ~= nil and not text.raw(v):find("%l") end,
  islower = function(v) return text.raw(v):find("%l") ~= nil and not text.raw(v):find("%u") end,
  join = function(v, arguments)
    local parts = {}
    for i, item in ipairs(values.items(arguments[1])) do parts[i] = str(item, "join") end
    return text.join(parts, v)
  end,
  find = function(v, arguments) return position(v, (text.raw(v):find(text.raw(str(arguments[1], "find")), 1, true))) end,
  count = function(v, arguments) return #ranges(v, text.raw(str(arguments[1], "count"))) end,
  splitlines = function(v)
    local s <const>, cuts, at = text.raw(v), {}, 1
    while true do
      local i <const>, j = s:find("[\r\n]", at)
      if not i then break end
      if s:sub(i, i + 1) == "\r\n" then j = i + 1 end
      cuts[#cuts + 1] = { i, j }
      at = j + 1
    end
    local lines <const> = text.cut(v, cuts)
    if text.raw(lines[#lines]) == "" then lines[#lines] = nil end
    return values.list(lines)
  end,
  removeprefix = function(v, arguments)
    local x <const> = text.raw(str(arguments[1], "removeprefix"))
    return starts(text.raw(v), x) and text.sub(v, #x + 1, -1) or v
  end,
  removesuffix = function(v, arguments)
    local x <const> = text.raw(str(arguments[1], "removesuffix"))
    return ends(text.raw(v), x) and text.sub(v, 1, #text.raw(v) - #x) or v
  end,
  format = function(v, arguments)
    local s <const>, parts, at, automatic = text.raw(v), {}, 1, 0
    for i, name, j in s:gmatch("(){([%w_]*)}()") do
      parts[#parts + 1] = text.sub(v, at, i - 1)
      at = j
      local value
      if name == "" then
        automatic = automatic + 1
        value = arguments[automatic]
      else
        value = math.tointeger(name) and arguments[math.tointeger(name) + 1] or arguments.named[name]
      end
      if value == nil then error(("format: no argument for {%s}"):format(name), 0) end
      parts[#parts + 1] = values.str(value)
    end
    parts[#parts + 1] = text.sub(v, at, -1)
    return text.join(parts)
  end,
}

local dicts <const> = {
  keys = function(v) return values.list(table.move(v.keys, 1, #v.keys, 1, {})) end,
  values = function(v)
    local list = values.list {}
    for i, key in ipairs(v.keys) do list[i] = values.lookup(v, key) end
    return list
  end,
  items = function(v)
    local list = values.list {}
    for i, key in ipairs(v.keys) do list[i] = values.tuple { key, values.lookup(v, key) } end
    return list
  end,
  get = function(v, arguments)
    local found <const> = values.lookup(v, arguments[1])
    if found ~= nil then return found end
    return arguments[2] == nil and values.NONE or arguments[2]
  end,
}

local lists <const> = {
  index = function(v, arguments)
    for i, item in ipairs(v) do
      if values.equal(item, arguments[1]) then return i - 1 end
    end
    error("index: it is not in the list", 0)
  end,
  count = function(v, arguments)
    local n = 0
    for _, item in ipairs(v) do
      if values.equal(item, arguments[1]) then n = n + 1 end
    end
    return n
  end,
}

return { str = strings, dict = dicts, list = lists, tuple = lists }
