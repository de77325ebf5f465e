-- Python's values and operators. Numbers and booleans are Lua's; strings are text.lua's; the rest are tables with a
-- `t`: "none", "undefined", "list", "tuple", "range", "dict_keys" and the other views (elements from 1), "dict" (`keys` in
-- order, `map` from key to value), "namespace" (`map`), and "function" (`call(arguments)`).
local text <const> = require "text"
local numbers <const> = require "numbers"
local values <const> = {}

values.NONE = { t = "none" }
function values.undefined(hint) return { t = "undefined", hint = hint } end
function values.list(items) items.t = "list" return items end
function values.tuple(items) items.t = "tuple" return items end
function values.view(name, items) items.t = name return items end
function values.callable(name, call) return { t = "function", name = name, call = call } end

function values.dict() return { t = "dict", keys = {}, map = {} } end

-- A string is found by its bytes, whoever wrote them.
local function key_of(v)
  if text.is(v) then return text.raw(v) end
  if type(v) == "boolean" then return v and 1 or 0 end
  if math.type(v) == "float" then return math.tointeger(v) or v == v and v or error("a dict's key cannot be nan", 0) end
  if type(v) == "table" and v.t ~= "none" then error("a dict's key cannot be a " .. values.kind(v), 0) end
  return v
end
function values.put(dict, key, value)
  local k <const> = key_of(key)
  if dict.map[k] == nil then dict.keys[#dict.keys + 1] = key end
  dict.map[k] = value
end
function values.lookup(dict, key) return dict.map[key_of(key)] end

-- As Python's type() calls it.
function values.kind(v)
  if text.is(v) then return "str" end
  if type(v) == "number" then return math.type(v) == "integer" and "int" or "float" end
  if type(v) == "boolean" then return "bool" end
  return v.t
end
local kind <const> = values.kind

-- What has elements that can be counted and looped over; only a list and a tuple can be cut and added.
local SEQUENCES <const> = { list = true, tuple = true, range = true, dict_keys = true, dict_values = true, dict_items = true }
function values.is_sequence(v) return SEQUENCES[kind(v)] == true end

-- A boolean is a number, too.
function values.number(v) if type(v) == "boolean" then return v and 1 or 0 end return v end
local number <const> = values.number

-- A function's arguments by its parameters: names and defaults in turn, REQUIRED where there is none. A name that begins
-- with "/" is taken by place only. What the parameters do not have is an error, since it would be ignored otherwise.
local REQUIRED <const> = {}
values.REQUIRED = REQUIRED
function values.take(what, arguments, parameters)
  local n <const>, taken, known = #parameters // 2, {}, {}
  if #arguments > n then error(("%s: expected at most %d arguments, found %d"):format(what, n, #arguments), 0) end
  for i = 1, n do
    local name <const>, by_place = parameters[2 * i - 1], arguments[i]
    local by_name <const> = arguments.named[name]
    if by_place ~= nil and by_name ~= nil then error(("%s: two values for %s"):format(what, name), 0) end
    if by_place == nil then by_place = by_name end
    if by_place == nil then by_place = parameters[2 * i] end
    if by_place == REQUIRED then error(("%s: expected the argument %s"):format(what, name:gsub("^/", "")), 0) end
    taken[i], known[name] = by_place, true
  end
  for name in pairs(arguments.named) do
    if not known[name] then error(("%s: no argument %q"):format(what, name), 0) end
  end
  return table.unpack(taken, 1, n)
end

-- Arguments of one kind.
function values.whole(v, what)
  if math.type(number(v)) ~= "integer" then error(("%s: expected an int, found a %s"):format(what, kind(v)), 0) end
  return number(v)
end
function values.string(v, what)
  if not text.is(v) then error(("%s: expected a str, found a %s"):format(what, kind(v)), 0) end
  return v
end

-- Plain Lua data (a message, an option) to values; its strings are people's unless `trusted`.
function values.from(v, trusted)
  if v == nil then return values.NONE end
  if type(v) == "string" then return trusted and v or text.content(v) end
  if type(v) ~= "table" then return v end
  if #v > 0 or next(v) == nil then
    local list = values.list {}
    for i, item in ipairs(v) do list[i] = values.from(item, trusted) end
    return list
  end
  local names, dict = {}, values.dict()
  for name in pairs(v) do names[#names + 1] = name end
  -- Lua's tables have no order: a message's role comes first, then its content, then what else there is, by name.
  local first <const> = { role = 1, content = 2 }
  table.sort(names, function(a, b)
    local i <const>, j <const> = first[a] or 3, first[b] or 3
    return i < j or (i == j and a < b)
  end)
  for _, name in ipairs(names) do values.put(dict, name, values.from(v[name], trusted)) end
  return dict
end

function values.truth(v)
  local k <const> = kind(v)
  if k == "str" then return text.raw(v) ~= "" end
  if k == "bool" then return v end
  if k == "int" or k == "float" then return v ~= 0 end
  if SEQUENCES[k] then return #v > 0 end
  if k == "dict" then return #v.keys > 0 end
  return k ~= "none" and k ~= "undefined"
end

-- What was looked for and is not there must not be computed with.
function values.defined(v)
  if kind(v) == "undefined" then error((v.hint or "a value") .. " is undefined", 0) end
  return v
end

function values.equal(a, b)
  local x <const>, y <const> = kind(a), kind(b)
  if x == "str" or y == "str" then return x == y and text.raw(a) == text.raw(b) end
  if x == "bool" then a = a and 1 or 0 end
  if y == "bool" then b = b and 1 or 0 end
  if type(a) == "number" or type(b) == "number" then return a == b end
  if x ~= y then return false end
  if x == "undefined" then return true end
  if SEQUENCES[x] then
    if #a ~= #b then return false end
    for i = 1, #a do
      if not values.equal(a[i], b[i]) then return false end
    end
    return true
  elseif x == "dict" then
    if #a.keys ~= #b.keys then return false end
    for k, v in pairs(a.map) do
      if b.map[k] == nil or not values.equal(v, b.map[k]) then return false end
    end
    return true
  end
  return a == b
end

function values.less(a, b)
  local x <const>, y <const> = kind(values.defined(a)), kind(values.defined(b))
  if x == "str" and y == "str" then return text.raw(a) < text.raw(b) end
  if (x == "list" or x == "tuple") and x == y then
    for i = 1, math.min(#a, #b) do
      if not values.equal(a[i], b[i]) then return values.less(a[i], b[i]) end
    end
    return #a < #b
  end
  if type(number(a)) ~= "number" or type(number(b)) ~= "number" then
    error(("%s and %s cannot be compared"):format(x, y), 0)
  end
  return number(a) < number(b)
end

function values.contains(list, v)
  local k <const> = kind(list)
  if k == "undefined" then return false end
  if k == "str" then
    if kind(v) ~= "str" then error(("a str holds no %s"):format(kind(v)), 0) end
    return text.raw(list):find(text.raw(v), 1, true) ~= nil
  elseif k == "dict" then
    return values.lookup(list, v) ~= nil
  elseif SEQUENCES[k] then
    for _, item in ipairs(list) do
      if values.equal(item, v) then return true end
    end
    return false
  end
  error(("a %s holds nothing"):format(k), 0)
end

-- The elements that a loop goes over, as a Lua list.
function values.items(v)
  local k <const> = kind(v)
  if SEQUENCES[k] then return v end
  if k == "str" then return text.characters(v) end
  if k == "dict" then return v.keys end
  if k == "undefined" then return {} end
  error(("a %s cannot be looped over"):format(k), 0)
end

-- Text of values.

local REPR <const> = { ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local function repr_text(v)
  local s <const> = text.raw(v)
  local quote <const> = (s:find("'", 1, true) and not s:find('"', 1, true)) and '"' or "'"
  local body = text.gsub(v, "[%c\\" .. quote .. "]", function(c)
    return REPR[c] or c == quote and "\\" .. c or ("\\x%02x"):format(c:byte())
  end)
  -- What Python does not print: spaces other than " ", and marks without a shape.
  body = text.gsub(body, "[\xC2\xE1\xE2\xE3\xEF][\x80-\xBF]+", function(c)
    if utf8.len(c) ~= 1 then c = c:match("^" .. utf8.charpattern) end
    local code <const> = utf8.codepoint(c)
    local hidden <const> = code <= 0xA0 or code == 0xAD or text.is_space(code) or code == 0xFEFF
      or (code >= 0x200B and code <= 0x200F) or (code >= 0x202A and code <= 0x202E) or (code >= 0x2060 and code <= 0x206F)
    return hidden and (code < 0x100 and ("\\x%02x"):format(code) or ("\\u%04x"):format(code)) or nil
  end)
  return text.join { quote, body, quote }
end

local function repr(v, depth)
  if depth > 50 then error("a value nested too deeply", 0) end
  local k <const> = kind(v)
  if k == "str" then return repr_text(v) end
  if k == "range" then return ("range(%d, %d%s)"):format(v.first, v.stop, v.step ~= 1 and ", " .. v.step or "") end
  if SEQUENCES[k] then
    local parts = {}
    for i, item in ipairs(v) do parts[i] = repr(item, depth + 1) end
    local inner <const> = text.join(parts, ", ")
    if k == "list" then return text.join { "[", inner, "]" } end
    if k ~= "tuple" then return text.join { k, "([", inner, "])" } end
    return text.join { "(", inner, #v == 1 and ",)" or ")" }
  elseif k == "dict" then
    local parts = {}
    for i, key in ipairs(v.keys) do
      parts[i] = text.join { repr(key, depth + 1), ": ", repr(values.lookup(v, key), depth + 1) }
    end
    return text.join { "{", text.join(parts, ", "), "}" }
  elseif k == "undefined" then
    return "Undefined"
  end
  return values.str(v)
end

-- What {{ }} writes.
function values.str(v)
  local k <const> = kind(v)
  if k == "str" then return v end
  if k == "int" or k == "float" then return numbers.text(v) end
  if k == "bool" then return v and "True" or "False" end
  if k == "none" then return "None" end
  if k == "undefined" then return "" end
  if k == "function" or k == "namespace" then return "<" .. k .. (v.name and " " .. v.name or "") .. ">" end
  return repr(v, 1)
end

function values.repr(v) return repr(v, 1) end

-- An index from 0, counted from the end where it is negative; nil outside.
local function index(i, n)
  if i < 0 then i = i + n end
  return i >= 0 and i < n and i or nil
end

-- v[i]; nil where there is nothing.
function values.index(v, i)
  local k <const> = kind(v)
  if k == "dict" then return values.lookup(v, i) end
  i = number(i)
  if kind(i) ~= "int" then return nil end
  if k == "list" or k == "tuple" or k == "range" then
    local at <const> = index(i, #v)
    return at and v[at + 1]
  elseif k == "str" then
    local at <const> = index(i, text.len(v))
    return at and text.slice(v, at, at + 1)
  end
end

-- v[start:stop:step]; nil for what is left out.
function values.slice(v, start, stop, step)
  local k <const> = kind(values.defined(v))
  if k ~= "str" and k ~= "list" and k ~= "tuple" then error(("a %s cannot be cut"):format(k), 0) end
  step = step or 1
  for _, each in pairs { start or 0, stop or 0, step } do
    if kind(each) ~= "int" then error("a slice by a " .. kind(each), 0) end
  end
  if step == 0 then error("a slice with step 0", 0) end
  local n <const> = k == "str" and text.len(v) or #v
  local low <const>, high <const> = step > 0 and 0 or -1, step > 0 and n or n - 1
  local function bound(i, otherwise)
    if not i then return otherwise end
    if i < 0 then i = i + n end
    return math.max(low, math.min(high, i))
  end
  start, stop = bound(start, step > 0 and low or high), bound(stop, step > 0 and high or low)
  if k == "str" and step == 1 then return text.slice(v, start, stop) end
  local source <const>, items = k == "str" and text.characters(v) or v, {}
  for i = start, stop - (step > 0 and 1 or -1), step do items[#items + 1] = source[i + 1] end
  if k == "str" then return text.join(items) end
  items.t = k
  return items
end

return values
