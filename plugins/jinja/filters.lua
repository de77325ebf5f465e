-- jinja2's filters: filter(value, arguments, run), where `run` has step(n), filter(name, v, arguments), test(name, v,
-- arguments), item(v, name) and method(v, name).
local text <const> = require "text"
local values <const> = require "values"
local numbers <const> = require "numbers"
local operators <const> = require "operators"
local format <const> = require "format"
local methods <const> = require "methods"
local json <const> = require "json"
local filters <const> = {}

local NONE <const>, REQUIRED <const> = values.NONE, values.REQUIRED
local take <const>, whole <const>, truth <const> = values.take, values.whole, values.truth

for _, name in ipairs { "upper", "lower", "capitalize" } do
  filters[name] = function(v, arguments) return methods.str[name](values.str(v), arguments) end
end

-- Unlike str.title, an apostrophe begins no word.
function filters.title(v, arguments)
  take("title", arguments, {})
  local function change(word) return word:sub(1, 1):upper() .. word:sub(2):lower() end
  return text.case(values.str(v), "title", change, "[^%-%s({%[<]+")
end

function filters.trim(v, arguments)
  return methods.str.strip(values.str(v), { take("trim", arguments, { "chars", NONE }), named = {} })
end

function filters.default(v, arguments)
  local otherwise <const>, by_truth = take("default", arguments, { "default_value", "", "boolean", false })
  if values.kind(v) == "undefined" or (truth(by_truth) and not truth(v)) then return otherwise end
  return v
end
filters.d = filters.default

function filters.length(v, arguments)
  take("length", arguments, {})
  local k <const> = values.kind(v)
  if k == "str" then return text.len(v) end
  if values.is_sequence(v) then return #v end
  if k == "dict" then return #v.keys end
  if k == "undefined" then return 0 end
  error(("length: a %s has none"):format(k), 0)
end
filters.count = filters.length

function filters.tojson(v, arguments)
  local ascii <const>, indent, separators, sorted =
    take("tojson", arguments, { "ensure_ascii", false, "indent", NONE, "separators", NONE, "sort_keys", false })
  if indent == NONE then
    indent = nil
  elseif not text.is(indent) then
    indent = text.rep(" ", whole(indent, "tojson: indent"))
  end
  local comma, colon = indent and "," or ", ", ": "
  if separators ~= NONE then
    local items <const> = values.items(separators)
    if #items ~= 2 then error(("tojson: expected two separators, found %d"):format(#items), 0) end
    comma, colon = values.string(items[1], "tojson: separators"), values.string(items[2], "tojson: separators")
  end
  return json(v, { indent = indent, comma = comma, colon = colon, sorted = truth(sorted), ascii = truth(ascii) })
end

function filters.string(v, arguments)
  take("string", arguments, {})
  return values.str(v)
end
-- Nothing is escaped, so there is nothing to mark.
filters.safe = filters.string

local ENTITIES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["'"] = "&#39;", ['"'] = "&#34;" }
function filters.escape(v, arguments)
  take("escape", arguments, {})
  return text.gsub(values.str(v), "[&<>'\"]", function(c) return ENTITIES[c] end)
end
filters.e = filters.escape

function filters.replace(v, arguments)
  local old <const>, new, most = take("replace", arguments, { "old", REQUIRED, "new", REQUIRED, "count", NONE })
  return methods.str.replace(values.str(v), { values.str(old), values.str(new), most ~= NONE and most or nil, named = {} })
end

function filters.format(v, arguments)
  local named <const> = next(arguments.named) and values.dict()
  if named and #arguments > 0 then error("format: arguments with and without names", 0) end
  for _, key in ipairs(named and arguments.keys or {}) do values.put(named, key, arguments.named[text.raw(key)]) end
  return format.percent(values.str(v), arguments, named or nil)
end

function filters.indent(v, arguments)
  local width <const>, first, blank = take("indent", arguments, { "width", 4, "first", false, "blank", false })
  local pad <const> = text.is(width) and width or text.rep(" ", whole(width, "indent"))
  local lines <const> = methods.str.splitlines(text.concat(values.string(v, "indent"), "\n"), { named = {} })
  for i, line in ipairs(lines) do
    local padded = truth(first)
    if i > 1 then padded = truth(blank) or text.raw(line) ~= "" end
    if padded then lines[i] = text.concat(pad, line) end
  end
  return text.join(lines, "\n")
end

function filters.wordcount(v, arguments)
  take("wordcount", arguments, {})
  return select(2, text.ascii(values.str(v), "wordcount"):gsub("[%w_]+", ""))
end

function filters.center(v, arguments)
  return methods.str.center(values.str(v), { take("center", arguments, { "width", 80 }), named = {} })
end

function filters.truncate(v, arguments)
  local length, kill <const>, ending, leeway =
    take("truncate", arguments, { "length", 255, "killwords", false, "end", "...", "leeway", NONE })
  length, leeway = whole(length, "truncate"), leeway == NONE and 5 or whole(leeway, "truncate")
  local s <const>, room = values.string(v, "truncate"), length - text.len(values.string(ending, "truncate"))
  if room < 0 or leeway < 0 then error("truncate: a length that has no room for the end, or a leeway below 0", 0) end
  if text.len(s) <= length + leeway then return s end
  local cut = text.slice(s, 0, room)
  if not truth(kill) then cut = methods.str.rsplit(cut, { " ", 1, named = {} })[1] end
  return text.concat(cut, ending)
end

-- An attribute in Python's sense: a method, or a field of a namespace; not an element of a dict.
function filters.attr(v, arguments, run)
  local name <const> = text.raw(values.string(take("attr", arguments, { "name", REQUIRED }), "attr"))
  return run.method(values.defined(v), name)
end

-- Numbers.

function filters.int(v, arguments)
  local otherwise <const>, base = take("int", arguments, { "default", 0, "base", 10 })
  values.defined(v)
  if text.is(v) then
    local s <const> = text.raw(text.strip(v))
    local found <const> = numbers.int(s, whole(base, "int"))
    if found then return found end
    local x <const> = numbers.float(s)
    return x and numbers.truncate(x) or otherwise
  end
  local x <const> = values.number(v)
  if type(x) ~= "number" then return otherwise end
  if math.abs(x) == math.huge then error("int: a number without end", 0) end
  return numbers.truncate(x) or otherwise
end

function filters.float(v, arguments)
  local otherwise <const> = take("float", arguments, { "default", 0.0 })
  if text.is(v) then return numbers.float(text.raw(text.strip(v))) or otherwise end
  local x <const> = values.number(values.defined(v))
  return type(x) == "number" and x * 1.0 or otherwise
end

local function number(v, name)
  local x <const> = values.number(v)
  if type(x) ~= "number" then error(("%s: expected a number, found a %s"):format(name, values.kind(v)), 0) end
  return x
end

function filters.abs(v, arguments)
  take("abs", arguments, {})
  local x <const> = number(v, "abs")
  return x < 0 and numbers.negate(x) or x == 0 and x * x or x
end

function filters.round(v, arguments)
  local digits, way = take("round", arguments, { "precision", 0, "method", "common" })
  local x <const> = number(v, "round")
  digits, way = whole(digits, "round"), text.raw(values.string(way, "round"))
  if way ~= "common" and way ~= "ceil" and way ~= "floor" then error(("round: no method %q"):format(way), 0) end
  if digits < 0 or digits > 15 then error("round: expected a precision from 0 to 15", 0) end
  if way ~= "common" then
    local scale <const> = math.tointeger(10.0 ^ digits)
    return math[way](numbers.multiply(x, scale)) / scale
  end
  if math.type(x) == "integer" or x ~= x or math.abs(x) == math.huge then return x end
  -- Python rounds a float's exact value, halves to even: what C's format does.
  return tonumber(("%." .. digits .. "fe0"):format(x))
end

-- Lists.

local function copy(v, run)
  local items <const> = values.items(v)
  run.step(#items)
  return values.list(table.move(items, 1, #items, 1, {}))
end

function filters.list(v, arguments, run)
  take("list", arguments, {})
  return copy(v, run)
end
function filters.first(v, arguments, run)
  take("first", arguments, {})
  local item <const> = copy(v, run)[1]
  if item == nil then return values.undefined("the first of nothing") end
  return item
end
function filters.last(v, arguments, run)
  take("last", arguments, {})
  local items <const> = copy(v, run)
  if #items == 0 then return values.undefined("the last of nothing") end
  return items[#items]
end

function filters.reverse(v, arguments, run)
  take("reverse", arguments, {})
  local items <const>, back = copy(v, run), values.list {}
  for i = #items, 1, -1 do back[#back + 1] = items[i] end
  return text.is(v) and text.join(back) or back
end

-- A function that gives an element's part: "a.b.0" is a path into it, and what is not there `otherwise`, if that is given.
local function path(name, run, otherwise)
  local parts = {}
  if text.is(name) then
    for part in (text.raw(name) .. "."):gmatch("([^.]*)%.") do parts[#parts + 1] = part:find("^%d+$") and tonumber(part) or part end
  else
    parts[1] = whole(name, "an attribute")
  end
  return function(v)
    for _, part in ipairs(parts) do
      v = run.item(v, part)
      if otherwise ~= nil and values.kind(v) == "undefined" then v = otherwise end
    end
    return v
  end
end

local function itself(v) return v end
local function maybe_path(name, run) return name == NONE and itself or path(name, run) end

function filters.join(v, arguments, run)
  local separator <const>, attribute = take("join", arguments, { "d", "", "attribute", NONE })
  local look <const>, parts = maybe_path(attribute, run), {}
  for i, item in ipairs(copy(v, run)) do parts[i] = values.str(look(item)) end
  return text.join(parts, values.str(separator))
end

-- As in jinja2, none and other false values are looked at no further by map, select and their like.
function filters.map(v, arguments, run)
  if not truth(v) then return values.list {} end
  local change
  if #arguments == 0 then
    local _, attribute, otherwise = take("map", arguments, { "/filter", NONE, "attribute", REQUIRED, "default", NONE })
    change = path(attribute, run, otherwise ~= NONE and otherwise or nil)
  else
    local name <const> = text.raw(values.string(arguments[1], "map"))
    local rest <const> = table.move(arguments, 2, #arguments, 1, { named = arguments.named, keys = arguments.keys })
    change = function(item) return run.filter(name, item, rest) end
  end
  local out = values.list {}
  for i, item in ipairs(copy(v, run)) do out[i] = change(item) end
  return out
end

-- select, reject and their ...attr: those that pass a test, or are true where none is named.
local function chooser(name, wanted, by_attribute)
  return function(v, arguments, run)
    local first <const>, out = by_attribute and 2 or 1, values.list {}
    if not truth(v) then return out end
    if by_attribute and arguments[1] == nil then error(name .. ": expected an attribute", 0) end
    local look <const> = by_attribute and path(arguments[1], run) or itself
    local test <const> = arguments[first] ~= nil and text.raw(values.string(arguments[first], name))
    local rest <const> = table.move(arguments, first + 1, #arguments, 1, { named = arguments.named })
    for _, item in ipairs(copy(v, run)) do
      local subject <const> = look(item)
      local passes
      if test then passes = run.test(test, subject, rest) else passes = truth(subject) end
      if passes == wanted then out[#out + 1] = item end
    end
    return out
  end
end
filters.select, filters.reject = chooser("select", true, false), chooser("reject", false, false)
filters.selectattr, filters.rejectattr = chooser("selectattr", true, true), chooser("rejectattr", false, true)

-- Strings compare without case unless told otherwise, as in jinja2.
local function sort_key(v, name, case_sensitive)
  if not text.is(v) or truth(case_sensitive) then return v end
  return text.ascii(v, name):lower()
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
  local backwards <const>, case, attribute =
    take("sort", arguments, { "reverse", false, "case_sensitive", false, "attribute", NONE })
  local looks = {}
  if text.is(attribute) then
    for name in text.raw(attribute):gmatch("[^,]+") do looks[#looks + 1] = path(name, run) end
  else
    looks[1] = maybe_path(attribute, run)
  end
  -- Several attributes: by the first, then by the next.
  local function key(item)
    local keys = values.list {}
    for i, look in ipairs(looks) do keys[i] = sort_key(look(item), "sort", case) end
    return keys
  end
  return sorted(copy(v, run), key, whole(backwards, "sort") ~= 0, run)
end

local function pairs_of(v, name)
  if values.kind(v) ~= "dict" then error(("%s: expected a dict, found a %s"):format(name, values.kind(v)), 0) end
  return methods.dict.items(v, { named = {} })
end

function filters.dictsort(v, arguments, run)
  local case <const>, by, backwards = take("dictsort", arguments, { "case_sensitive", false, "by", "key", "reverse", false })
  local place <const> = ({ key = 1, value = 2 })[text.raw(values.string(by, "dictsort"))]
  if not place then error("dictsort: by is \"key\" or \"value\"", 0) end
  local function key(pair) return sort_key(pair[place], "dictsort", case) end
  return sorted(pairs_of(v, "dictsort"), key, whole(backwards, "dictsort") ~= 0, run)
end

function filters.unique(v, arguments, run)
  local case <const>, attribute = take("unique", arguments, { "case_sensitive", false, "attribute", NONE })
  local look <const>, out, known = maybe_path(attribute, run), values.list {}, {}
  for _, item in ipairs(copy(v, run)) do
    local key <const>, is_known = sort_key(look(item), "unique", case), false
    run.step(#known)
    for _, other in ipairs(known) do is_known = is_known or values.equal(key, other) end
    if not is_known then
      out[#out + 1], known[#known + 1] = item, key
    end
  end
  return out
end

function filters.items(v, arguments)
  take("items", arguments, {})
  return values.kind(v) == "undefined" and values.list {} or pairs_of(v, "items")
end

function filters.sum(v, arguments, run)
  local attribute <const>, start = take("sum", arguments, { "attribute", NONE, "start", 0 })
  local look <const>, total = maybe_path(attribute, run), start
  if text.is(start) then error("sum: texts are joined, not added", 0) end
  for _, item in ipairs(copy(v, run)) do total = operators.binary("+", total, look(item)) end
  return total
end

local function extreme(name, is_better)
  return function(v, arguments, run)
    local case <const>, attribute = take(name, arguments, { "case_sensitive", false, "attribute", NONE })
    local look <const>, best, best_key = maybe_path(attribute, run), nil, nil
    for _, item in ipairs(copy(v, run)) do
      local key <const> = sort_key(look(item), name, case)
      if best == nil or is_better(key, best_key) then best, best_key = item, key end
    end
    if best == nil then return values.undefined("the best of nothing") end
    return best
  end
end
filters.min = extreme("min", values.less)
filters.max = extreme("max", function(a, b) return values.less(b, a) end)

function filters.batch(v, arguments, run)
  local size, fill = take("batch", arguments, { "linecount", REQUIRED, "fill_with", NONE })
  size = whole(size, "batch")
  if size < 1 then error("batch: expected lines of one or more", 0) end
  local out = values.list {}
  for _, item in ipairs(copy(v, run)) do
    if #out == 0 or #out[#out] == size then out[#out + 1] = values.list {} end
    table.insert(out[#out], item)
  end
  local last <const> = out[#out]
  if last and fill ~= NONE and #last < size then
    run.step(size - #last)
    for i = #last + 1, size do last[i] = fill end
  end
  return out
end

function filters.slice(v, arguments, run)
  local count, fill = take("slice", arguments, { "slices", REQUIRED, "fill_with", NONE })
  count = whole(count, "slice")
  if count < 1 then error("slice: expected one or more", 0) end
  run.step(count)
  local items <const>, out, at = copy(v, run), values.list {}, 1
  local size <const>, longer <const> = #items // count, #items % count
  for i = 1, count do
    local stop <const> = at + size + (i <= longer and 1 or 0)
    out[i] = values.list(table.move(items, at, stop - 1, 1, {}))
    if fill ~= NONE and i > longer then table.insert(out[i], fill) end
    at = stop
  end
  return out
end

return filters
