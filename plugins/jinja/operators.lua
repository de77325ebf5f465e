-- Python's operators.
local text <const> = require "text"
local values <const> = require "values"
local numbers <const> = require "numbers"
local format <const> = require "format"
local operators <const> = {}

local MOST_ELEMENTS <const> = 100000
local kind <const>, number <const> = values.kind, values.number

local NUMERIC <const> = {
  ["+"] = numbers.add, ["-"] = numbers.subtract, ["*"] = numbers.multiply, ["/"] = numbers.divide,
  ["//"] = numbers.floor_divide, ["%"] = numbers.modulo, ["**"] = numbers.power,
}

local function checked(size)
  if size > MOST_ELEMENTS then error(("a list of more than %d"):format(MOST_ELEMENTS), 0) end
end

local function joined(a, b)
  checked(#a + #b)
  local list <const> = table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {}))
  list.t = a.t
  return list
end

local function repeated(v, n)
  if text.is(v) then return text.rep(v, n) end
  checked(math.min(n, MOST_ELEMENTS + 1) * #v)
  if #v == 0 then n = 0 end
  local list <const> = { t = v.t }
  for _ = 1, n do table.move(v, 1, #v, #list + 1, list) end
  return list
end

local REPEATED <const> = { str = true, list = true, tuple = true }

function operators.binary(op, a, b)
  local x <const>, y <const> = kind(values.defined(a)), kind(values.defined(b))
  if op == "+" and x == "str" and y == "str" then return text.concat(a, b) end
  if op == "+" and (x == "list" or x == "tuple") and x == y then return joined(a, b) end
  if op == "*" and REPEATED[x] and math.type(number(b)) == "integer" then return repeated(a, number(b)) end
  if op == "*" and REPEATED[y] and math.type(number(a)) == "integer" then return repeated(b, number(a)) end
  if op == "%" and x == "str" then return format.percent(a, y == "tuple" and b or { b }, y == "dict" and b or nil) end
  if type(number(a)) ~= "number" or type(number(b)) ~= "number" then
    error(("%s %s %s is not possible"):format(x, op, y), 0)
  end
  return NUMERIC[op](number(a), number(b))
end

function operators.negative(v)
  if type(number(values.defined(v))) ~= "number" then error(("- of a %s is not possible"):format(kind(v)), 0) end
  return numbers.negate(number(v))
end

return operators
