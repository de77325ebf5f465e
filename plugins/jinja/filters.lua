-- jinja2's filters: filter(value, arguments, run), where `run` has step(n), filter(name, v, arguments), test(name, v,
-- arguments) and attribute(v, name).
local text <const> = require "text"
local values <const> = require "values"
local methods <const> = require "methods"
local json <const> = require "json"
local filters <const> = {}

-- An argument by place or name.
local function given(arguments, i, name, otherwise)
  local v = arguments[i]
  if v == nil then v = arguments.named[name] end
  if v == nil then return otherwise end
  return v
end

local function method(name)
  return function(v, arguments) return methods.str[name](values.str(v), arguments) end
end
for _, name in ipairs { "upper", "lower", "capitalize" } do filters[name] = method(name) end

-- Unlike str.title, an apostrophe begins no word.
function filters.title(v)
  local function change(word) return word:sub(1, 1):upper() .. word:sub(2):lower() end
  return text.case(values.str(v), "title", change, "[^%-%s({%[<]+")
end

function filters.trim(v, arguments)
  return methods.str.strip(values.str(v), { given(arguments, 1, "chars"), named = {} })
end

function filters.default(v, arguments)
  local otherwise <const>, by_truth <const> = given(arguments, 1, "default_value", ""), given(arguments, 2, "boolean", false)
  if values.kind(v) == "undefined" or (values.truth(by_truth) and not values.truth(v)) then return otherwise end
  return v
end
filters.d = filters.default

function filters.length(v)
  local k <const> = values.kind(v)
  if k == "str" then return text.len(v) end
  if k == "list" or k == "tuple" then return #v end
  if k == "dict" then return #v.keys end
  if k == "undefined" then return 0 end
  error(("length: a %s has none"):format(k), 0)
end
filters.count = filters.length

function filters.tojson(v, arguments)
  local indent = given(arguments, 1, "indent", arguments.named.indent or values.NONE)
  if indent == values.NONE then indent = nil end
  if type(indent) == "number" then indent = (" "):rep(math.max(0, math.min(indent, 32))) end
  local separators = arguments.named.separators
  if separators == values.NONE then separators = nil end
  return json(v, {
    indent = indent and text.raw(indent),
    comma = separators and text.raw(separators[1]) or (indent and "," or ", "),
    colon = separators and text.raw(separators[2]) or ": ",
    sorted = values.truth(arguments.named.sort_keys or false),
  })
end

function filters.string(v) return values.str(v) end
-- Nothing is escaped, so there is nothing to mark.
filters.safe = filters.string

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["'"] = "&#39;", ['"'] = "&#34;" }
function filters.escape(v) return text.gsub(values.str(v), "[&<>'\"]", function(c) return ENTITIES[c] end) end
filters.e = filters.escape

function filters.replace(v, arguments)
  return methods.str.replace(values.str(v),
    { values.str(given(arguments, 1, "old")), values.str(given(arguments, 2, "new")), given(arguments, 3, "count"), named = {} })
end

function filters.format(v, arguments) return values.format(values.str(v), arguments) end

function filters.indent(v, arguments)
  local width <const> = given(arguments, 1, "width", 4)
  local first <const>, blank <const> = given(arguments, 2, "first", false), given(arguments, 3, "blank", false)
  local pad <const> = text.is(width) and width or (" "):rep(math.max(0, math.min(width, 64)))
  local lines <const>, s = {}, values.str(v)
  for i, line in ipairs(methods.str.split(text.gsub(s, "\r\n?", function() return "\n" end), { "\n", named = {} })) do
    local padded <const> = (i > 1 and (values.truth(blank) or text.raw(line) ~= "")) or (i == 1 and values.truth(first))
    lines[i] = padded and text.concat(pad, line) or line
  end
  return text.join(lines, "\n")
end

function filters.wordcount(v) return #methods.str.split(values.str(v), { named = {} }) end

-- Numbers.

function filters.int(v, arguments)
  local otherwise <const> = given(arguments, 1, "default", 0)
  if type(v) == "boolean" then return v and 1 or 0 end
  if type(v) == "number" then
    if v ~= v or v == math.huge or v == -math.huge then return otherwise end
    return math.tointeger(v < 0 and math.ceil(v) or math.floor(v)) or otherwise
  end
  local s <const> = text.is(v) and text.raw(text.strip(v)) or ""
  local number <const> = s:find("^[+-]?%d+$") and math.tointeger(tonumber(s)) or s:find("^[+-]?[%d.]+[eE]?[+-]?%d*$") and tonumber(s)
  return number and filters.int(number, arguments) or otherwise
end

function filters.float(v, arguments)
  local otherwise <const> = given(arguments, 1, "default", 0.0)
  if type(v) == "number" then return v + 0.0 end
  local s <const> = text.is(v) and text.raw(text.strip(v)) or ""
  return s:find("^[+-]?[%d.]+[eE]?[+-]?%d*$") and tonumber(s) and tonumber(s) + 0.0 or otherwise
end

function filters.abs(v) return math.abs(v) end

function filters.round(v, arguments)
  local digits <const>, way <const> = given(arguments, 1, "precision", 0), text.raw(given(arguments, 2, "method", "common"))
  local scale <const> = 10.0 ^ digits
  if way == "ceil" then return math.ceil(v * scale) / scale end
  if way == "floor" then return math.floor(v * scale) / scale end
  -- Python rounds a float's exact value, halves to even: what C's format does.
  if digits >= 0 and digits < 20 then return tonumber(("%." .. digits .. "f"):format(v)) + 0.0 end
  return math.floor(v * scale + 0.5) / scale
end

-- Lists.

local function copy(v, run)
  local items <const> = values.items(v)
  run.step(#items)
  return values.list(table.move(items, 1, #items, 1, {}))
end

function filters.list(v, _, run) return copy(v, run) end
function filters.first(v, _, run)
  local items <const> = copy(v, run)
  if items[1] == nil then return values.undefined("the first of nothing") end
  return items[1]
end
function filters.last(v, _, run)
  local items <const> = copy(v, run)
  if #items == 0 then return values.undefined("the last of nothing") end
  return items[#items]
end

function filters.reverse(v, _, run)
  local items <const>, back = copy(v, run), values.list {}
  for i = #items, 1, -1 do back[#back + 1] = items[i] end
  return text.is(v) and text.join(back) or back
end

-- "a.b.0" as a path into each element.
local function path(name, run)
  return function(v)
    if type(name) == "number" then return run.attribute(v, name) end
    for part in text.raw(name):gmatch("[^.]+") do v = run.attribute(v, math.tointeger(part) or part) end
    return v
  end
end

function filters.join(v, arguments, run)
  local separator <const>, attribute <const> = given(arguments, 1, "d", ""), given(arguments, 2, "attribute")
  local parts = {}
  for i, item in ipairs(copy(v, run)) do parts[i] = values.str(attribute and path(attribute, run)(item) or item) end
  return text.join(parts, values.str(separator))
end

function filters.map(v, arguments, run)
  local attribute <const>, out = arguments.named.attribute, values.list {}
  local rest <const> = table.move(arguments, 2, #arguments, 1, { named = arguments.named })
  for i, item in ipairs(copy(v, run)) do
    if attribute then
      local found <const> = path(attribute, run)(item)
      local missing <const> = values.kind(found) == "undefined" and arguments.named.default ~= nil
      out[i] = missing and arguments.named.default or found
    else
      out[i] = run.filter(text.raw(arguments[1]), item, rest)
    end
  end
  return out
end

-- select, reject and their ...attr: those that pass a test, or are true where none is named.
local function chooser(wanted, by_attribute)
  return function(v, arguments, run)
    local first <const>, out = by_attribute and 2 or 1, values.list {}
    local look <const> = by_attribute and path(arguments[1], run) or function(item) return item end
    local rest <const> = table.move(arguments, first + 1, #arguments, 1, { named = arguments.named })
    for _, item in ipairs(copy(v, run)) do
      local subject <const> = look(item)
      local passes
      if arguments[first] ~= nil then
        passes = run.test(text.raw(arguments[first]), subject, rest)
      else
        passes = values.truth(subject)
      end
      if passes == wanted then out[#out + 1] = item end
    end
    return out
  end
end
filters.select, filters.reject = chooser(true, false), chooser(false, false)
filters.selectattr, filters.rejectattr = chooser(true, true), chooser(false, true)

-- Strings compare without case unless told otherwise, as in jinja2.
local function sort_key(v, case_sensitive)
  return text.is(v) and not case_sensitive and text.raw(v):lower() or v
end

-- A stable sort: table.sort is none.
local function sorted(items, key, backwards, run)
  run.step(8 * #items)
  local order = {}
  for i, item in ipairs(items) do order[i] = { item = item, key = key(item), place = i } end
  table.sort(order, function(a, b)
    if values.equal(a.key, b.key) then return a.place < b.place end
    if backwards then a, b = b, a end
    return values.less(a.key, b.key)
  end)
  local out = values.list {}
  for i, each in ipairs(order) do out[i] = each.item end
  return out
end

function filters.sort(v, arguments, run)
  local backwards <const>, case <const> = given(arguments, 1, "reverse", false), given(arguments, 2, "case_sensitive", false)
  local attribute <const> = given(arguments, 3, "attribute")
  local look <const> = attribute and attribute ~= values.NONE and path(attribute, run) or function(item) return item end
  return sorted(copy(v, run), function(item) return sort_key(look(item), values.truth(case)) end, values.truth(backwards), run)
end

function filters.dictsort(v, arguments, run)
  local case <const>, by <const> = given(arguments, 1, "case_sensitive", false), text.raw(given(arguments, 2, "by", "key"))
  local backwards <const> = given(arguments, 3, "reverse", false)
  return sorted(methods.dict.items(v),
    function(pair) return sort_key(pair[by == "key" and 1 or 2], values.truth(case)) end, values.truth(backwards), run)
end

function filters.unique(v, arguments, run)
  local out, case <const> = values.list {}, given(arguments, 1, "case_sensitive", false)
  for _, item in ipairs(copy(v, run)) do
    local known = false
    run.step(#out)
    for _, other in ipairs(out) do
      known = known or values.equal(sort_key(other, values.truth(case)), sort_key(item, values.truth(case)))
    end
    if not known then out[#out + 1] = item end
  end
  return out
end

function filters.items(v) return values.kind(v) == "undefined" and values.list {} or methods.dict.items(v) end

function filters.sum(v, arguments, run)
  local attribute <const>, total = given(arguments, 1, "attribute"), given(arguments, 2, "start", 0)
  for _, item in ipairs(copy(v, run)) do
    total = values.binary("+", total, attribute and attribute ~= values.NONE and path(attribute, run)(item) or item)
  end
  return total
end

local function extreme(is_better)
  return function(v, _, run)
    local best
    for _, item in ipairs(copy(v, run)) do
      if best == nil or is_better(item, best) then best = item end
    end
    return best == nil and values.undefined("the best of nothing") or best
  end
end
filters.min = extreme(values.less)
filters.max = extreme(function(a, b) return values.less(b, a) end)

function filters.batch(v, arguments, run)
  local size <const>, fill <const>, out = given(arguments, 1, "linecount"), given(arguments, 2, "fill_with"), values.list {}
  for _, item in ipairs(copy(v, run)) do
    if #out == 0 or #out[#out] == size then out[#out + 1] = values.list {} end
    table.insert(out[#out], item)
  end
  while fill ~= nil and fill ~= values.NONE and #out > 0 and #out[#out] < size do table.insert(out[#out], fill) end
  return out
end

return filters
