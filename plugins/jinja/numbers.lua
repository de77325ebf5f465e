-- Python's arithmetic and number texts on Lua's numbers. A whole number of more than 64 bits is refused, not wrapped.
local numbers <const> = {}

local function too_long() error("a whole number of more than 64 bits", 0) end
local function nonzero(b) if b == 0 then error("division by zero", 0) end return b end
local function whole(a, b) return math.type(a) == "integer" and math.type(b) == "integer" end

function numbers.add(a, b)
  local r <const> = a + b
  if whole(a, b) and (a ~ r) & (b ~ r) < 0 then too_long() end
  return r
end

function numbers.subtract(a, b)
  local r <const> = a - b
  if whole(a, b) and (a ~ b) & (a ~ r) < 0 then too_long() end
  return r
end

function numbers.multiply(a, b)
  local r <const> = a * b
  if whole(a, b) and a ~= 0 and (r // a ~= b or (a == -1 and b == math.mininteger)) then too_long() end
  return r
end

function numbers.divide(a, b) return a / nonzero(b) end

function numbers.modulo(a, b)
  local r <const> = a % nonzero(b)
  if r ~= 0 or whole(a, b) then return r end
  return b < 0 and -0.0 or 0.0
end

function numbers.floor_divide(a, b)
  if whole(a, b) then
    if a == math.mininteger and b == -1 then too_long() end
    return a // nonzero(b)
  end
  -- 1.0 // 0.1 is 9: the remainder goes first, as in CPython.
  local quotient <const> = (a - numbers.modulo(a, b)) / b
  if quotient == 0 or quotient ~= quotient then return 0.0 * (a / b) end
  local floor <const> = quotient // 1
  return quotient - floor > 0.5 and floor + 1 or floor
end

function numbers.power(a, b)
  if whole(a, b) and b >= 0 then
    local r = 1
    while true do
      if b & 1 == 1 then r = numbers.multiply(r, a) end
      b = b >> 1
      if b == 0 then return r end
      a = numbers.multiply(a, a)
    end
  end
  if a == 0 and b < 0 then error("zero to a negative power", 0) end
  local r <const> = a ^ b
  if r ~= r and a == a and b == b then error("a power that is a complex number", 0) end
  local is_finite <const> = math.abs(a) < math.huge and math.abs(b) < math.huge
  if is_finite and math.abs(r) == math.huge then error("a power that is too large", 0) end
  return r
end

function numbers.negate(a)
  if a == math.mininteger and math.type(a) == "integer" then too_long() end
  return -a
end

-- A float without what is behind its point; nil where it has no value.
function numbers.truncate(x)
  if math.type(x) == "integer" then return x end
  if x ~= x or math.abs(x) == math.huge then return nil end
  return math.tointeger(x < 0 and math.ceil(x) or math.floor(x)) or too_long()
end

-- The digits of a base, "_" between them; nil where they are none.
local function digits(s, base)
  if not s:find("^[%w_]+$") or s:find("^_") or s:find("_$") or s:find("__", 1, true) then return nil end
  local r = 0
  for c in s:gmatch("[^_]") do
    local digit <const> = tonumber(c, 36)
    if digit >= base then return nil end
    r = numbers.add(numbers.multiply(r, base), digit)
  end
  return r
end
numbers.digits = digits

-- int(s, base) of Python, nil where it is none.
function numbers.int(s, base)
  local sign <const>, rest = s:match("^([+-]?)(.*)$")
  local prefix <const> = ({ ["0x"] = 16, ["0o"] = 8, ["0b"] = 2 })[rest:sub(1, 2):lower()]
  if prefix and (base == 0 or base == prefix) then
    base, rest = prefix, rest:sub(3):gsub("^_", "")
  elseif base == 0 then
    if rest:find("^0") and rest:find("[^0_]") then return nil end
    base = 10
  end
  if base < 2 or base > 36 then error(("int: a base from 2 to 36 or 0, found %d"):format(base), 0) end
  local r <const> = digits(rest, base)
  return r and (sign == "-" and -r or r)
end

-- float(s) of Python, nil where it is none.
function numbers.float(s)
  local sign <const>, word <const> = s:lower():match("^([+-]?)(.*)$")
  if word == "inf" or word == "infinity" then return sign == "-" and -math.huge or math.huge end
  if word == "nan" then return 0 / 0 end
  -- Twice, since the matches of one pass do not overlap.
  local plain <const> = word:gsub("(%d)_(%d)", "%1%2"):gsub("(%d)_(%d)", "%1%2")
  local mantissa <const> = plain:match("^(%d*%.?%d*)$") or plain:match("^(%d*%.?%d*)e[+-]?%d+$")
  if not mantissa or not mantissa:find("%d") then return nil end
  local x <const> = tonumber(plain) + 0.0
  return sign == "-" and -x or x
end

-- Python's repr of a float: the shortest digits that give it back.
function numbers.text(x)
  if math.type(x) == "integer" then return ("%d"):format(x) end
  if x ~= x then return "nan" end
  if x == math.huge then return "inf" elseif x == -math.huge then return "-inf" end
  local shortest
  for n = 1, 17 do
    shortest = ("%." .. n - 1 .. "e"):format(x)
    if tonumber(shortest) == x then break end
  end
  local sign <const>, lead <const>, rest <const>, e <const> = shortest:match("^(-?)(%d)%.?(%d*)e([+-]%d+)$")
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

return numbers
