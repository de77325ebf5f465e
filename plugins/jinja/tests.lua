-- jinja2's tests: test(value, arguments).
local text <const> = require "text"
local values <const> = require "values"
local numbers <const> = require "numbers"
local methods <const> = require "methods"
local tests <const> = {}

local take <const>, REQUIRED <const> = values.take, values.REQUIRED

local function define(name, holds)
  tests[name] = function(v, arguments)
    take(name, arguments, {})
    return holds(v)
  end
end
local function of_kind(name, ...)
  local kinds = {}
  for _, each in ipairs { ... } do kinds[each] = true end
  define(name, function(v) return kinds[values.kind(v)] == true end)
end

define("defined", function(v) return values.kind(v) ~= "undefined" end)
of_kind("undefined", "undefined")
of_kind("none", "none")
of_kind("string", "str")
of_kind("boolean", "bool")
of_kind("integer", "int")
of_kind("float", "float")
of_kind("number", "int", "float", "bool")
of_kind("mapping", "dict")
of_kind("sequence", "str", "list", "tuple", "range", "dict", "undefined")
define("iterable", function(v)
  local k <const> = values.kind(v)
  return k == "str" or k == "dict" or k == "undefined" or values.is_sequence(v)
end)
define("callable", function(v)
  local k <const> = values.kind(v)
  return k == "function" or k == "undefined" or (k == "namespace" and v.name == "loop")
end)
define("true", function(v) return v == true end)
define("false", function(v) return v == false end)

define("odd", function(v) return values.whole(v, "odd") % 2 == 1 end)
define("even", function(v) return values.whole(v, "even") % 2 == 0 end)
function tests.divisibleby(v, arguments)
  local by <const> = values.whole(take("divisibleby", arguments, { "num", REQUIRED }), "divisibleby")
  return numbers.modulo(values.whole(v, "divisibleby"), by) == 0
end

local function compare(names, holds)
  for _, name in ipairs(names) do
    tests[name] = function(v, arguments) return holds(v, (take(name, arguments, { "/other", REQUIRED }))) end
  end
end
compare({ "eq", "equalto", "==" }, values.equal)
compare({ "ne", "!=" }, function(a, b) return not values.equal(a, b) end)
compare({ "lt", "lessthan", "<" }, values.less)
compare({ "gt", "greaterthan", ">" }, function(a, b) return values.less(b, a) end)
compare({ "le", "<=" }, function(a, b) return not values.less(b, a) end)
compare({ "ge", ">=" }, function(a, b) return not values.less(a, b) end)
compare({ "in" }, function(a, b) return values.contains(b, a) end)
compare({ "sameas" }, function(a, b)
  return values.kind(a) == values.kind(b) and (a == b or (text.is(a) and values.equal(a, b)))
end)

define("lower", function(v) return methods.str.islower(values.str(v), { named = {} }) end)
define("upper", function(v) return methods.str.isupper(values.str(v), { named = {} }) end)

return tests
