local lacuna <const> = require "lacuna"

-- Floats throughout: integers would wrap beyond 64 bits.
local FUNCTIONS <const> = {
  sqrt = function(x) return x ^ 0.5 end, abs = math.abs, exp = math.exp, ln = math.log,
  floor = function(x) return math.floor(x) + 0.0 end, ceil = function(x) return math.ceil(x) + 0.0 end,
}
local CONSTANTS <const> = { pi = math.pi, e = math.exp(1) }
local DEEPEST <const> = 50

-- A parser by recursive descent: sum, product, sign, power, atom. Nothing is ever handed to `load`.
local function evaluate(text)
  local at, depth, sum = 1, 0, nil
  local function skip() at = text:match("^%s*()", at) end
  local function take(pattern)
    skip()
    local found, next = text:match("^(" .. pattern .. ")()", at)
    if found then at = next end
    return found
  end
  local function fail(expected)
    skip()
    local rest = at <= #text and ("%q"):format(text:sub(at, at + 9)) or "the end"
    error(lacuna.error("syntax", ("column %d: expected %s, found %s"):format(at, expected, rest)), 0)
  end
  local function atom()
    local number = take "%d+%.?%d*[eE][-+]?%d+" or take "%d+%.?%d*" or take "%.%d+"
    if number then return tonumber(number) + 0.0 end
    if take "%(" then
      local value = sum()
      return take "%)" and value or fail '")"'
    end
    local start <const> = at
    local name = take "%a+"
    if not name then fail "a number, a name or (" end
    if CONSTANTS[name] then return CONSTANTS[name] end
    if not FUNCTIONS[name] or not take "%(" then at = start fail "a function or a constant that is known" end
    local value = sum()
    if not take "%)" then fail '")"' end
    return FUNCTIONS[name](value)
  end
  local function power()
    local negative = take "%-"
    if not negative then take "%+" end
    local base = atom()
    if take "%^" then base = base ^ power() end
    return negative and -base or base
  end
  local function product()
    local value = power()
    while true do
      local operator = take "[*/%%]"
      if not operator then return value end
      local right = power()
      if operator == "*" then value = value * right
      elseif operator == "/" then value = value / right
      else value = math.fmod(value, right) end
    end
  end
  function sum()
    depth = depth + 1
    if depth > DEEPEST then fail(("at most %d levels of brackets"):format(DEEPEST)) end
    local value = product()
    while true do
      local operator = take "[-+]"
      if not operator then depth = depth - 1 return value end
      local right = product()
      value = operator == "+" and value + right or value - right
    end
  end
  local value = sum()
  skip()
  if at <= #text then fail "an operator or the end" end
  return value
end

return lacuna.plugin {
  tools = {
    calculate = {
      description = "the value of an arithmetic expression: + - * / % ^, brackets, sqrt abs floor ceil exp ln, pi, e",
      params = { expression = { type = "string" } },
      run = function(args)
        local ok, value = pcall(evaluate, args.expression)
        if not ok then return nil, type(value) == "table" and value or lacuna.error("arithmetic", tostring(value)) end
        if value ~= value or value == math.huge or value == -math.huge then
          return nil, lacuna.error("arithmetic", "the value is not a finite number")
        end
        return math.tointeger(value) or value
      end,
    },
  },
}
