-- Python's values and operators. Numbers and booleans are Lua's; strings are text.lua's; the rest are tables with a
-- `t`: "none", "undefined", "list", "tuple" (elements from 1), "dict" (`keys` in order, `map` from key to value),
-- "namespace" (`map`), and "function" (`call(arguments)`).
local text <const> = require "text"
local values <const> = {}

values.NONE = { t = "none" }
function values.undefined(hint) return { t = "undefined", hint = hint } end
function values.list(items) items.t = "list" return items end
function values.tuple(items) items.t = "tuple" return items end
function values.callable(name, call) return { t = "function", name = name, call = call } end

function values.dict() return { t = "dict", keys = {}, map = {} } end

-- A string is found by its bytes, whoever wrote them.
local function key_of(v)
  if text.is(v) then return text.raw(v) end
  if math.type(v) == "float" and v == math.floor(v) and v > -2 ^ 53 and v < 2 ^ 53 then return math.tointeger(v) end
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
  if k == "list" or k == "tuple" then return #v > 0 end
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
  if x == "list" or x == "tuple" then
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

local function number(v) if type(v) == "boolean" then return v and 1 or 0 end return v end

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
  local k <const> = kind(values.defined(list))
  if k == "str" then
    if kind(v) ~= "str" then error(("a str holds no %s"):format(kind(v)), 0) end
    return text.raw(list):find(text.raw(v), 1, true) ~= nil
  elseif k == "dict" then
    return values.lookup(list, v) ~= nil
  elseif k == "list" or k == "tuple" then
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
  if k == "list" or k == "tuple" then return v end
  if k == "str" then return text.characters(v) end
  if k == "dict" then return v.keys end
  if k == "undefined" then return {} end
  error(("a %s cannot be looped over"):format(k), 0)
end

-- Text of values.

-- Python's repr of a float: the shortest digits that give it back.
local function float_text(x)
  if x ~= x then return "nan" end
  if x == math.huge then return "inf" elseif x == -math.huge then return "-inf" end
  local digits
  for n = 1, 17 do
    digits = ("%." .. n - 1 .. "e"):format(x)
    if tonumber(digits) == x then break end
  end
  local sign <const>, lead <const>, rest <const>, e <const> = digits:match("^(-?)(%d)%.?(%d*)e([+-]%d+)$")
  local exponent <const>, all <const> = tonumber(e), lead .. rest
  if exponent < -4 or exponent >= 16 then
    return ("%s%s%se%s%02d"):format(sign, lead, rest ~= "" and "." .. rest or "", exponent < 0 and "-" or "+", math.abs(exponent))
  elseif exponent < 0 then
    return sign .. "0." .. ("0"):rep(-exponent - 1) .. all
  elseif #all <= exponent + 1 then
    return sign .. all .. ("0"):rep(exponent + 1 - #all) .. ".0"
  end
  return sign .. all:sub(1, exponent + 1) .. "." .. all:sub(exponent + 2)
end
values.float_text = float_text

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
  if k == "list" or k == "tuple" then
    local parts = {}
    for i, item in ipairs(v) do parts[i] = repr(item, depth + 1) end
    local inner <const> = text.join(parts, ", ")
    if k == "list" then return text.join { "[", inner, "]" } end
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
  if k == "int" then return ("%d"):format(v) end
  if k == "float" then return float_text(v) end
  if k == "bool" then return v and "True" or "False" end
  if k == "none" then return "None" end
  if k == "undefined" then return "" end
  if k == "function" or k == "namespace" then return "<" .. k .. (v.name and " " .. v.name or "") .. ">" end
  return repr(v, 1)
end

function values.repr(v) return repr(v, 1) end

-- Operators.

local function zero_checked(b) if b == 0 then error("division by zero", 0) end return b end
local NUMERIC <const> = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["*"] = function(a, b) return a * b end,
  ["/"] = function(a, b) return a / zero_checked(b) end,
  ["//"] = function(a, b) return a // zero_checked(b) end,
  ["%"] = function(a, b) return a % zero_checked(b) end,
  ["**"] = function(a, b)
    local power <const> = a ^ b
    local whole <const> = math.type(a) == "integer" and math.type(b) == "integer" and b >= 0
    return whole and math.abs(power) < 2 ^ 53 and math.tointeger(power) or power
  end,
}

-- Python's "%s and %d" % (a, b), with the conversions that C knows too.
function values.format(pattern, arguments)
  local parts, used, start <const> = {}, 0, text.raw(pattern)
  local at = 1
  for i, flags, conversion, j in start:gmatch("()%%([-+ #0-9.]*)([%a%%])()") do
    parts[#parts + 1] = text.sub(pattern, at, i - 1)
    at = j
    if conversion == "%" then
      parts[#parts + 1] = "%"
    else
      used = used + 1
      local v <const> = arguments[used]
      if v == nil then error("not enough arguments for a format", 0) end
      if #flags > 10 or tonumber(flags:match("%d*")) and tonumber(flags:match("%d+") or 0) > 99 then
        error("a format that is too wide", 0)
      end
      if conversion == "s" or conversion == "r" then
        local s <const> = conversion == "s" and values.str(v) or values.repr(v)
        if flags ~= "" then error("a format of strings with a width", 0) end
        parts[#parts + 1] = s
      elseif ("dixXofeEgG"):find(conversion, 1, true) and type(number(v)) == "number" then
        local whole <const> = ("dixXo"):find(conversion, 1, true)
        parts[#parts + 1] = ("%" .. flags .. (conversion == "i" and "d" or conversion)):format(
          whole and math.tointeger(number(v) // 1) or number(v))
      else
        error(("no format %%%s of a %s"):format(conversion, kind(v)), 0)
      end
    end
  end
  parts[#parts + 1] = text.sub(pattern, at, -1)
  return text.join(parts)
end

local function joined(a, b)
  local list <const> = table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {}))
  list.t = a.t
  return list
end

function values.binary(op, a, b)
  local x <const>, y <const> = kind(values.defined(a)), kind(values.defined(b))
  if op == "+" and x == "str" and y == "str" then return text.concat(a, b) end
  if op == "+" and (x == "list" or x == "tuple") and x == y then return joined(a, b) end
  if op == "*" and x == "str" and y == "int" then return text.rep(a, b) end
  if op == "*" and x == "int" and y == "str" then return text.rep(b, a) end
  if op == "%" and x == "str" then return values.format(a, y == "tuple" and b or { b }) end
  if type(number(a)) ~= "number" or type(number(b)) ~= "number" then
    error(("%s %s %s is not possible"):format(x, op, y), 0)
  end
  return NUMERIC[op](number(a), number(b))
end

-- An index from 0, counted from the end where it is negative; nil outside.
local function index(i, n)
  if i < 0 then i = i + n end
  return i >= 0 and i < n and i or nil
end

-- v[i]; nil where there is nothing.
function values.index(v, i)
  local k <const> = kind(v)
  if k == "dict" then return values.lookup(v, i) end
  if kind(i) ~= "int" then return nil end
  if k == "list" or k == "tuple" then
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
