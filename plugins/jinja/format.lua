-- Python's two ways to format: "%5.2f" % x, and "{:>5}".format(x). What is not done here is an error, not another text.
local text <const> = require "text"
local values <const> = require "values"
local numbers <const> = require "numbers"
local format <const> = {}

local kind <const> = values.kind

-- A text padded to a width in characters: "<", ">" or "^".
function format.pad(v, width, align, fill)
  local missing <const> = width - text.len(v)
  if missing <= 0 then return v end
  local left <const> = align == "<" and 0 or align == ">" and missing or missing // 2
  return text.join { text.rep(fill, left), v, text.rep(fill, missing - left) }
end

-- A number's sign and digits; `spec` has conversion, sign ("+", " " or ""), alternate, precision (or nil), grouping.
local function number_parts(v, spec, what)
  local conversion <const> = spec.conversion
  local function refuse() error(("%s: no format %q of a %s"):format(what, conversion, kind(v)), 0) end
  if type(v) == "boolean" then v = v and 1 or 0 end
  local body, prefix
  if ("dxXob"):find(conversion, 1, true) then
    if math.type(v) ~= "integer" or spec.precision then refuse() end
    prefix = spec.alternate and conversion ~= "d" and "0" .. conversion or ""
    body = v < 0 and ("%d"):format(v):sub(2) or ("%d"):format(v)
    if conversion ~= "d" then
      if v == math.mininteger then refuse() end
      local magnitude, base <const> = math.abs(v), ({ o = 8, b = 2 })[conversion] or 16
      body = ""
      repeat
        body = ("%x"):format(magnitude % base) .. body
        magnitude = magnitude // base
      until magnitude == 0
      if conversion == "X" then body = body:upper() end
    end
  else
    if spec.alternate then refuse() end
    local x <const>, precision <const> = math.abs(v + 0.0), spec.precision or 6
    if precision > 99 then refuse() end
    prefix = ""
    if x ~= x or x == math.huge then
      body = x ~= x and "nan" or "inf"
      if conversion:find("%u") then body = body:upper() end
    elseif conversion == "%" then
      body = ("%." .. precision .. "f%%"):format(x * 100)
    else
      body = ("%." .. precision .. (conversion == "F" and "f" or conversion)):format(x)
    end
  end
  if spec.grouping then
    local whole <const>, rest = body:match("^(%d+)(.*)$")
    local groups <const> = whole and whole:reverse():gsub("(%d%d%d)", "%1" .. spec.grouping):reverse()
    body = groups and groups:gsub("^" .. spec.grouping, "") .. rest or body
  end
  local negative <const> = v < 0 or (v == 0 and 1 / v < 0 and math.type(v) == "float")
  return (negative and "-" or spec.sign) .. prefix, body
end

-- Zeros between the sign and the digits.
local function zero_filled(sign, body, width) return sign .. ("0"):rep(width - #sign - #body) .. body end

local function checked(width)
  if width > 1 << 16 then error("a format that is too wide", 0) end
  return width
end

-- pattern % arguments: a list, or a dict (`mapping`) for "%(name)s".
function format.percent(pattern, arguments, mapping)
  local s <const>, parts, at, used = text.raw(pattern), {}, 1, 0
  while true do
    local i <const> = s:find("%", at, true)
    parts[#parts + 1] = text.sub(pattern, at, (i or 0) - 1)
    if not i then break end
    local key <const>, from = s:match("^%((.-)%)()", i + 1)
    local flags <const>, width, precision, conversion, after = s:match("^([-+ #0]*)(%d*)(%.?%d*)([%a%%])()", from or i + 1)
    if not after then error(("no format %q"):format(s:sub(i, i + 9)), 0) end
    at, width = after, checked(tonumber(width) or 0)
    precision = precision ~= "" and (tonumber(precision:sub(2)) or 0) or nil
    if conversion == "%" and after == i + 2 then
      parts[#parts + 1] = "%"
    else
      local v
      if key then
        v = mapping and values.lookup(mapping, key)
        if v == nil then error(("no value %q for a format"):format(key), 0) end
      else
        used = used + 1
        v = arguments[used]
        if v == nil then error("not enough arguments for a format", 0) end
      end
      local left <const> = flags:find("-", 1, true)
      if conversion == "s" or conversion == "r" then
        v = conversion == "s" and values.str(v) or values.repr(v)
        if precision then v = text.slice(v, 0, math.min(precision, text.len(v))) end
        parts[#parts + 1] = format.pad(v, width, left and "<" or ">", " ")
      elseif ("diuxXoeEfFgG"):find(conversion, 1, true) and type(values.number(v)) == "number" then
        v = values.number(v)
        if ("diu"):find(conversion, 1, true) then
          conversion = "d"
          v = numbers.truncate(v) or error("a format %d of a float without a value", 0)
        end
        local sign <const>, body = number_parts(v, {
          conversion = conversion, precision = precision, alternate = flags:find("#", 1, true),
          sign = flags:find("+", 1, true) and "+" or flags:find(" ", 1, true) and " " or "",
        }, "%")
        local zeros <const> = flags:find("0", 1, true) and not left
        parts[#parts + 1] = zeros and zero_filled(sign, body, width) or format.pad(sign .. body, width, left and "<" or ">", " ")
      else
        error(("no format %%%s of a %s"):format(conversion, kind(v)), 0)
      end
    end
  end
  if not mapping and used < #arguments then error("not all arguments of a format were used", 0) end
  return text.join(parts)
end

-- format(v, spec), where spec is [[fill]align][sign][#][0][width][grouping][.precision][type].
local function by_spec(v, spec)
  if text.raw(spec) == "" then return values.str(v) end
  local what <const> = ("{:%s}"):format(text.raw(spec))
  local function refuse() error(("format: %s of a %s is not possible"):format(what, kind(v)), 0) end
  local s, fill, align = text.raw(spec), nil, nil
  local first <const>, rest = s:match("^(" .. utf8.charpattern .. ")()[<>=^]")
  if first then
    fill, align, s = text.sub(spec, 1, #first), s:sub(rest, rest), s:sub(rest + 1)
  elseif s:find("^[<>=^]") then
    align, s = s:sub(1, 1), s:sub(2)
  end
  local sign, alternate, zero, width, grouping, precision, conversion =
    s:match("^([-+ ]?)(#?)(0?)(%d*)([,_]?)(%.?%d*)([%a%%]?)$")
  if not sign or precision == "." then refuse() end
  width, precision = checked(tonumber(width) or 0), tonumber(precision:sub(2))
  if zero ~= "" then fill = fill or "0" end
  local body
  if kind(v) == "str" then
    if sign .. alternate .. grouping ~= "" or align == "=" or (conversion ~= "" and conversion ~= "s") then refuse() end
    body = precision and text.slice(v, 0, math.min(precision, text.len(v))) or v
    return format.pad(body, width, align or "<", fill or " ")
  end
  if type(values.number(v)) ~= "number" then refuse() end
  v = values.number(v)
  if conversion == "" and math.type(v) == "integer" then conversion = "d" end
  if grouping ~= "" and (zero ~= "" or not ("dfF%"):find(conversion, 1, true)) then refuse() end
  if conversion == "" then
    -- A float as str() writes it.
    if precision or alternate ~= "" or grouping ~= "" then refuse() end
    body = numbers.text(v)
    sign, body = body:match("^(%-?)(.*)$")
    sign = sign == "-" and sign or s:match("^[+ ]") or ""
  elseif ("dxXobeEfFgG%"):find(conversion, 1, true) then
    sign, body = number_parts(v, {
      conversion = conversion, precision = precision, alternate = alternate ~= "", sign = sign == "-" and "" or sign,
      grouping = grouping ~= "" and grouping,
    }, "format")
  else
    refuse()
  end
  if align == "=" or (zero ~= "" and not align) then
    return text.join { sign, text.rep(fill or " ", math.max(0, width - #sign - #body)), body }
  end
  return format.pad(sign .. body, width, align or ">", fill or " ")
end

-- "{} {0} {name!r:>5}".format(...)
function format.braces(pattern, arguments)
  local s <const>, parts, at, automatic, manual = text.raw(pattern), {}, 1, 0, false
  while true do
    local i <const>, brace = s:match("()([{}])", at)
    parts[#parts + 1] = text.sub(pattern, at, (i or 0) - 1)
    if not i then return text.join(parts) end
    if s:sub(i + 1, i + 1) == brace then
      parts[#parts + 1] = text.sub(pattern, i, i)
      at = i + 2
    else
      local stop <const> = brace == "{" and s:find("[{}]", i + 1)
      if not stop or s:sub(stop, stop) ~= "}" then
        error(("format: a brace without its other one, or one within another, at %q"):format(s:sub(i, i + 9)), 0)
      end
      local field <const> = s:sub(i + 1, stop - 1)
      local name <const>, conversion, colon = field:match("^([^!:]*)(!?[^:]*)():?")
      local v
      if name == "" then
        automatic = automatic + 1
        v = arguments[automatic]
      elseif name:find("^%d+$") then
        manual = true
        v = arguments[(tonumber(name) or 0) + 1]
      elseif name:find("[.[]") then
        error(("format: {%s}: attributes and elements are not done here"):format(field), 0)
      else
        v = arguments.named[name]
      end
      if manual and automatic > 0 then error("format: fields with and without numbers", 0) end
      if v == nil then error(("format: no argument for {%s}"):format(field), 0) end
      if conversion == "!r" then v = values.repr(v) elseif conversion == "!s" then v = values.str(v)
      elseif conversion ~= "" then error(("format: no conversion {%s}"):format(field), 0) end
      parts[#parts + 1] = by_spec(v, text.sub(pattern, i + 1 + colon, stop - 1))
      at = stop + 1
    end
  end
end

return format
