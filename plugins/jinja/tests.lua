-- jinja2's tests: test(value, arguments).
local text <const> = require "text"
local values <const> = require "values"
local tests <const> = {}

local function of_kind(...)
  local kinds = {}
  for _, name in ipairs { ... } do kinds[name] = true end
  return function(v) return kinds[values.kind(v)] == true end
end

function tests.defined(v) return values.kind(v) ~= "undefined" end
tests.undefined, tests.none, tests.string = of_kind "undefined", of_kind "none", of_kind "str"
tests.boolean, tests.integer, tests.float = of_kind "bool", of_kind "int", of_kind "float"
tests.number = of_kind("int", "float", "bool")
tests.mapping, tests.callable = of_kind "dict", of_kind "function"
tests.sequence = of_kind("str", "list", "tuple", "dict", "undefined")
tests.iterable = of_kind("str", "list", "tuple", "dict", "undefined")
tests["true"] = function(v) return v == true end
tests["false"] = function(v) return v == false end

local function whole(v, name)
  if math.type(v) ~= "integer" then error(("%s: expected an int, found a %s"):format(name, values.kind(v)), 0) end
  return v
end
function tests.odd(v) return whole(v, "odd") % 2 == 1 end
function tests.even(v) return whole(v, "even") % 2 == 0 end
function tests.divisibleby(v, arguments) return whole(v, "divisibleby") % whole(arguments[1], "divisibleby") == 0 end

local function compare(names, holds)
  for _, name in ipairs(names) do
    tests[name] = function(v, arguments) return holds(v, arguments[1]) end
  end
end
compare({ "eq", "equalto", "==" }, values.equal)
compare({ "ne", "!=" }, function(a, b) return not values.equal(a, b) end)
compare({ "lt", "lessthan", "<" }, values.less)
compare({ "gt", "greaterthan", ">" }, function(a, b) return values.less(b, a) end)
compare({ "le", "<=" }, function(a, b) return not values.less(b, a) end)
compare({ "ge", ">=" }, function(a, b) return not values.less(a, b) end)
compare({ "in" }, function(a, b) return values.contains(b, a) end)
compare({ "sameas" }, function(a, b) return a == b or (text.is(a) and values.equal(a, b)) end)

function tests.lower(v) return not text.raw(values.str(v)):find("%u") and text.raw(values.str(v)):find("%l") ~= nil end
function tests.upper(v) return not text.raw(values.str(v)):find("%l") and text.raw(values.str(v)):find("%u") ~= nil end

return tests
