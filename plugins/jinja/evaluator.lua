-- Runs a tree. Every node costs a step, and lists and texts cost by their length, so that a template ends.
local text <const> = require "text"
local values <const> = require "values"
local numbers <const> = require "numbers"
local operators <const> = require "operators"
local methods <const> = require "methods"
local filters <const> = require "filters"
local tests <const> = require "tests"
local clock <const> = require "clock"
local evaluator <const> = {}

local MOST_STEPS <const> = 500000
local LONGEST_OUTPUT <const> = 1 << 20
local LONGEST_RANGE <const> = 100000
local DEEPEST <const> = 100
local NONE <const> = values.NONE
local kind <const> = values.kind

local E <const> = {}
E.__index = E
local EXPRESSIONS <const>, STATEMENTS <const> = {}, {}

function E:step(n)
  self.steps = self.steps + n
  if self.steps > MOST_STEPS then error(("more than %d steps"):format(MOST_STEPS), 0) end
end

function E:eval(node, scope)
  self.line = node.line
  self:step(1)
  return EXPRESSIONS[node.type](self, node, scope)
end

-- Runs statements; "break" or "continue" where a loop is to do so.
function E:run(body, scope)
  for _, node in ipairs(body) do
    self.line = node.line
    self:step(1)
    local jump <const> = STATEMENTS[node.type](self, node, scope)
    if jump then return jump end
  end
end

function E:write(v)
  local size <const> = #text.raw(v)
  self.written = self.written + size
  if self.written > LONGEST_OUTPUT then error("more than 1 MiB of output", 0) end
  self:step(size // 64)
  self.out[#self.out + 1] = v
end

-- What a function writes, as a text.
function E:capture(body)
  local outer <const> = self.out
  self.out = {}
  body()
  local inner <const> = text.join(self.out)
  self.out = outer
  return inner
end

-- A call of a macro or a recursive loop.
function E:nested(body)
  self.depth = self.depth + 1
  if self.depth > DEEPEST then error(("calls nested more than %d deep"):format(DEEPEST), 0) end
  local result <const> = body()
  self.depth = self.depth - 1
  return result
end

-- Variables. A scope's own, then those around it.

local function inner(scope) return { vars = {}, parent = scope } end

local function look_up(scope, name)
  while scope do
    local v <const> = scope.vars[name]
    if v ~= nil then return v end
    scope = scope.parent
  end
end

function E:assign(target, value, scope)
  if target.type == "target" then
    scope.vars[target.name] = value
  elseif target.type == "target_attribute" then
    local namespace <const> = look_up(scope, target.name)
    if namespace == nil or kind(namespace) ~= "namespace" then error(("%q is no namespace"):format(target.name), 0) end
    namespace.map[target.attribute] = value
  else
    local items <const> = values.items(value)
    if #items ~= #target then error(("expected %d values, found %d"):format(#target, #items), 0) end
    for i, each in ipairs(target) do self:assign(each, items[i], scope) end
  end
end

-- Expressions.

function EXPRESSIONS.constant(_, node) return node.value end
function EXPRESSIONS.none() return NONE end

function EXPRESSIONS.name(_, node, scope)
  local v <const> = look_up(scope, node.name)
  if v == nil then return values.undefined(("%q"):format(node.name)) end
  return v
end

local function sequence(make)
  return function(self, node, scope)
    local items = {}
    for i, each in ipairs(node) do items[i] = self:eval(each, scope) end
    return make(items)
  end
end
EXPRESSIONS.list, EXPRESSIONS.tuple = sequence(values.list), sequence(values.tuple)

function EXPRESSIONS.dict(self, node, scope)
  local dict <const> = values.dict()
  for _, pair in ipairs(node) do values.put(dict, self:eval(pair[1], scope), self:eval(pair[2], scope)) end
  return dict
end

local function bound_method(v, name)
  local method <const> = (methods[kind(v)] or {})[name]
  return method and values.callable(name, function(arguments) return method(v, arguments) end)
end

local function missing(v, name)
  return values.undefined(("%q of a %s"):format(name, kind(v)))
end

-- v.name: a method before an element.
function E:attribute(v, name)
  values.defined(v)
  if kind(v) == "namespace" then
    local found <const> = v.map[name]
    if found == nil then return missing(v, name) end
    return found
  end
  local found = bound_method(v, name)
  if found == nil and kind(v) == "dict" then found = values.lookup(v, name) end
  if found == nil then return missing(v, name) end
  return found
end

-- v[i]: an element before a method.
function E:item(v, i)
  values.defined(v)
  if kind(v) == "namespace" and text.is(i) then return self:attribute(v, text.raw(i)) end
  local found <const> = values.index(v, i)
  if found ~= nil then return found end
  if text.is(i) then return bound_method(v, text.raw(i)) or missing(v, text.raw(i)) end
  return values.undefined("an element of a " .. kind(v))
end

function EXPRESSIONS.attribute(self, node, scope) return self:attribute(self:eval(node[1], scope), node.name) end

function EXPRESSIONS.item(self, node, scope)
  local v <const>, by <const> = self:eval(node[1], scope), node[2]
  if by.type ~= "slice" then return self:item(v, self:eval(by, scope)) end
  local function part(each)
    local value <const> = each and self:eval(each, scope)
    if value ~= NONE then return value end
  end
  -- As jinja2 has it, a number has no parts, while a dict is no place to look for them.
  if not text.is(values.defined(v)) and not values.is_sequence(v) and kind(v) ~= "dict" then return missing(v, "a slice") end
  local cut <const> = values.slice(v, part(by.start), part(by.stop), part(by.step))
  self:step(text.is(cut) and #text.raw(cut) // 64 or #cut)
  return cut
end

-- Arguments by place, and in `named` by name; `keys` are the names in their order, as they were written.
function E:arguments(args, scope, caller)
  local given <const> = { named = {}, keys = {} }
  local function name(key, v)
    local raw <const> = text.raw(values.string(key, "a name of an argument"))
    if given.named[raw] ~= nil then error(("two values for the argument %q"):format(raw), 0) end
    given.named[raw] = v
    given.keys[#given.keys + 1] = key
  end
  for i, each in ipairs(args) do given[i] = self:eval(each, scope) end
  if args.list then
    local items <const> = values.items(self:eval(args.list, scope))
    self:step(#items)
    table.move(items, 1, #items, #given + 1, given)
  end
  for _, each in ipairs(args.named) do name(each.name, self:eval(each[1], scope)) end
  if args.dict then
    local dict <const> = self:eval(args.dict, scope)
    if kind(dict) ~= "dict" then error(("** of a %s is not possible"):format(kind(dict)), 0) end
    for _, key in ipairs(dict.keys) do name(key, values.lookup(dict, key)) end
  end
  if caller then name("caller", caller) end
  return given
end

function E:call(node, scope, caller)
  local f <const> = values.defined(self:eval(node[1], scope))
  if type(f) ~= "table" or not f.call then error(("a %s cannot be called"):format(kind(f)), 0) end
  local arguments <const> = self:arguments(node.args, scope, caller)
  self.line = node.line
  return f.call(arguments)
end
function EXPRESSIONS.call(self, node, scope) return self:call(node, scope) end

function EXPRESSIONS.filter(self, node, scope)
  local v
  if node[1] then v = self:eval(node[1], scope) else v = scope.filtered end
  return filters[node.name](v, self:arguments(node.args, scope), self.helpers)
end

function EXPRESSIONS.test(self, node, scope)
  return tests[node.name](self:eval(node[1], scope), self:arguments(node.args, scope))
end

EXPRESSIONS["not"] = function(self, node, scope) return not values.truth(self:eval(node[1], scope)) end
EXPRESSIONS["and"] = function(self, node, scope)
  local left <const> = self:eval(node[1], scope)
  if not values.truth(left) then return left end
  return self:eval(node[2], scope)
end
EXPRESSIONS["or"] = function(self, node, scope)
  local left <const> = self:eval(node[1], scope)
  if values.truth(left) then return left end
  return self:eval(node[2], scope)
end

function EXPRESSIONS.conditional(self, node, scope)
  if values.truth(self:eval(node.test, scope)) then return self:eval(node[1], scope) end
  if not node[2] then return values.undefined "an if without else" end
  return self:eval(node[2], scope)
end

local COMPARISONS <const> = {
  ["=="] = values.equal, ["!="] = function(a, b) return not values.equal(a, b) end,
  ["<"] = values.less, [">"] = function(a, b) return values.less(b, a) end,
  ["<="] = function(a, b) return not values.less(b, a) end, [">="] = function(a, b) return not values.less(a, b) end,
  ["in"] = function(a, b) return values.contains(b, a) end,
  ["not in"] = function(a, b) return not values.contains(b, a) end,
}
function EXPRESSIONS.compare(self, node, scope)
  local left = self:eval(node[1], scope)
  for _, each in ipairs(node.rest) do
    local right <const> = self:eval(each[1], scope)
    if not COMPARISONS[each.op](left, right) then return false end
    left = right
  end
  return true
end

function EXPRESSIONS.binary(self, node, scope)
  local result <const> = operators.binary(node.op, self:eval(node[1], scope), self:eval(node[2], scope))
  if text.is(result) then self:step(#text.raw(result) // 64) elseif type(result) == "table" then self:step(#result) end
  return result
end

function EXPRESSIONS.concat(self, node, scope)
  local parts = {}
  for i, each in ipairs(node) do parts[i] = values.str(self:eval(each, scope)) end
  return text.join(parts)
end

function EXPRESSIONS.negative(self, node, scope) return operators.negative(self:eval(node[1], scope)) end
function EXPRESSIONS.positive(self, node, scope) return operators.binary("+", 0, self:eval(node[1], scope)) end

-- Statements.

function STATEMENTS.data(self, node) self:write(node.value) end
function STATEMENTS.print(self, node, scope) self:write(values.str(self:eval(node[1], scope))) end

STATEMENTS["if"] = function(self, node, scope)
  for _, branch in ipairs(node.branches) do
    if values.truth(self:eval(branch.test, scope)) then return self:run(branch.body, scope) end
  end
  return node.otherwise and self:run(node.otherwise, scope)
end

-- The variable `loop` of one turn.
local function loop_at(i, items, depth, state, again)
  local function at(j) if items[j] == nil then return values.undefined "a neighbour in a loop" end return items[j] end
  local map <const> = {
    index = i, index0 = i - 1, revindex = #items - i + 1, revindex0 = #items - i, first = i == 1, last = i == #items,
    length = #items, depth = depth, depth0 = depth - 1, previtem = at(i - 1), nextitem = at(i + 1),
    cycle = values.callable("cycle", function(choices)
      if #choices == 0 then error("loop.cycle: expected something to choose from", 0) end
      return choices[(i - 1) % #choices + 1]
    end),
    changed = values.callable("changed", function(now)
      local before <const> = state.last
      state.last = values.list(now)
      return not before or not values.equal(before, state.last)
    end),
  }
  return { t = "namespace", name = "loop", map = map, call = again }
end

function E:loop(node, list, scope, depth)
  local items = values.items(list)
  self:step(#items)
  if node.filter then
    local kept = {}
    for _, item in ipairs(items) do
      local trial <const> = inner(scope)
      self:assign(node.target, item, trial)
      if values.truth(self:eval(node.filter, trial)) then kept[#kept + 1] = item end
    end
    items = kept
  end
  local state <const> = {}
  local again <const> = node.recursive and function(arguments)
    return self:nested(function()
      local list <const> = values.take("loop", arguments, { "/iterable", values.REQUIRED })
      return self:capture(function() self:loop(node, list, scope, depth + 1) end)
    end)
  end
  for i, item in ipairs(items) do
    local turn <const> = inner(scope)
    turn.vars.loop = loop_at(i, items, depth, state, again)
    self:assign(node.target, item, turn)
    if self:run(node.body, turn) == "break" then break end
  end
  if #items == 0 and node.otherwise then return self:run(node.otherwise, inner(scope)) end
end

STATEMENTS["for"] = function(self, node, scope) return self:loop(node, self:eval(node.list, scope), scope, 1) end
STATEMENTS["break"] = function() return "break" end
STATEMENTS["continue"] = function() return "continue" end

-- The text of a body through filters.
function E:filtered(node, body, scope)
  local v <const> = self:capture(function() self:run(body, inner(scope)) end)
  if not node then return v end
  local around <const> = inner(scope)
  around.filtered = v
  return self:eval(node, around)
end

function STATEMENTS.set(self, node, scope)
  local v
  if node.value then v = self:eval(node.value, scope) else v = self:filtered(node.filter, node.body, scope) end
  self:assign(node.target, v, scope)
end

function STATEMENTS.filter_block(self, node, scope)
  self:write(values.str(self:filtered(node.filter, node.body, scope)))
end

STATEMENTS["with"] = function(self, node, scope)
  local around <const> = inner(scope)
  for _, each in ipairs(node) do self:assign(each.target, self:eval(each[1], scope), around) end
  return self:run(node.body, around)
end

function STATEMENTS.scope(self, node, scope) return self:run(node.body, inner(scope)) end

-- A call of a macro. `varargs`, `kwargs` and `caller` are taken by those whose body speaks of them, as in jinja2.
function E:macro(name, node, scope)
  local parameters <const>, speaks <const> = node.parameters, node.mentions
  return values.callable(name, function(arguments)
    return self:nested(function()
      local around <const>, used = inner(scope), {}
      for i, parameter in ipairs(parameters) do
        local v = arguments[i]
        if v == nil then
          v = arguments.named[parameter.name]
          used[parameter.name] = true
        end
        if v == nil and parameter.default then v = self:eval(parameter.default, around) end
        if v == nil then v = values.undefined(("%q"):format(parameter.name)) end
        around.vars[parameter.name] = v
      end
      if speaks.caller and not used.caller then
        around.vars.caller = arguments.named.caller or values.undefined '"caller"'
        used.caller = true
      end
      local more <const>, others = values.tuple(table.move(arguments, #parameters + 1, #arguments, 1, {})), values.dict()
      for _, key in ipairs(arguments.keys) do
        local raw <const> = text.raw(key)
        if not used[raw] then values.put(others, key, arguments.named[raw]) end
      end
      if #more > 0 and not speaks.varargs then
        error(("%s: expected at most %d arguments, found %d"):format(name, #parameters, #arguments), 0)
      end
      if #others.keys > 0 and not speaks.kwargs then
        error(("%s: no argument %q"):format(name, text.raw(others.keys[1])), 0)
      end
      if speaks.varargs then around.vars.varargs = more end
      if speaks.kwargs then around.vars.kwargs = others end
      return self:capture(function() self:run(node.body, around) end)
    end)
  end)
end

function STATEMENTS.macro(self, node, scope) scope.vars[node.name] = self:macro(node.name, node, scope) end

function STATEMENTS.call_block(self, node, scope)
  self:write(values.str(self:call(node.call, scope, self:macro("caller", node, scope))))
end

-- Functions that every template has.
local function globals(self, now)
  local NOTHING <const>, take <const> = {}, values.take
  local function range(arguments)
    local first, stop, step = take("range", arguments, { "/start", values.REQUIRED, "/stop", NOTHING, "/step", 1 })
    if stop == NOTHING then first, stop = 0, first end
    for _, each in ipairs { first, stop, step } do values.whole(each, "range") end
    if step == 0 then error("range: a step of 0", 0) end
    local size <const> = math.max(0, numbers.add(numbers.subtract(stop, first), step - (step > 0 and 1 or -1)) // step)
    if size > LONGEST_RANGE then error(("a range of more than %d"):format(LONGEST_RANGE), 0) end
    self:step(size)
    local list = { t = "range", first = first, stop = stop, step = step }
    for i = 1, size do list[i] = first + (i - 1) * step end
    return list
  end
  -- The dict of an argument, a dict or pairs, and of the arguments by name.
  local function fields(name, arguments)
    local dict <const>, given <const> = values.dict(), arguments[1]
    if #arguments > 1 then error(("%s: expected at most one argument without a name, found %d"):format(name, #arguments), 0) end
    if given and kind(given) == "dict" then
      for _, key in ipairs(given.keys) do values.put(dict, key, values.lookup(given, key)) end
    elseif given then
      for _, pair in ipairs(values.items(given)) do
        local items <const> = values.items(pair)
        if #items ~= 2 then error(("%s: expected pairs, found %d values"):format(name, #items), 0) end
        values.put(dict, items[1], items[2])
      end
    end
    for _, key in ipairs(arguments.keys) do values.put(dict, key, arguments.named[text.raw(key)]) end
    return dict
  end
  local all = {
    range = range,
    namespace = function(arguments) return { t = "namespace", map = fields("namespace", arguments).map } end,
    dict = function(arguments) return fields("dict", arguments) end,
    joiner = function(arguments)
      local separator <const>, used = take("joiner", arguments, { "sep", ", " }), false
      return values.callable("joiner", function()
        if used then return separator end
        used = true
        return ""
      end)
    end,
    raise_exception = function(arguments)
      error({ raised = text.raw(values.str(take("raise_exception", arguments, { "message", values.REQUIRED }))) }, 0)
    end,
  }
  if now then
    all.strftime_now = function(arguments)
      local form <const> = values.string(take("strftime_now", arguments, { "format", values.REQUIRED }), "strftime_now")
      return text.marked(clock(text.raw(form), now), form)
    end
  end
  for name, f in pairs(all) do all[name] = values.callable(name, f) end
  return all
end

-- Runs `body` with variables; the texts that it wrote, in order. Errors are the template's line and what is wrong, or
-- what the template raised.
function evaluator.run(body, variables, now)
  local self <const> = setmetatable({ steps = 0, written = 0, out = {}, depth = 0, line = 1 }, E)
  self.helpers = {
    step = function(n) self:step(n) end,
    item = function(v, name) return self:item(v, name) end,
    method = function(v, name)
      if kind(v) == "namespace" then return self:attribute(v, name) end
      return bound_method(v, name) or missing(v, name)
    end,
    filter = function(name, v, arguments)
      if not filters[name] then error(("no filter %q"):format(name), 0) end
      self:step(1)
      return filters[name](v, arguments, self.helpers)
    end,
    test = function(name, v, arguments)
      if not tests[name] then error(("no test %q"):format(name), 0) end
      self:step(1)
      return tests[name](v, arguments)
    end,
  }
  local scope <const> = { vars = variables, parent = { vars = globals(self, now) } }
  local ok <const>, why = pcall(self.run, self, body, scope)
  if ok then return self.out end
  if type(why) == "table" and why.raised then error(why.raised, 0) end
  error(("line %d: %s"):format(self.line, tostring(why)), 0)
end

return evaluator
