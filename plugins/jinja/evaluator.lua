-- Runs a tree. Every node costs a step, and lists and texts cost by their length, so that a template ends.
local text <const> = require "text"
local values <const> = require "values"
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
    if kind(namespace) ~= "namespace" then error(("%q is no namespace"):format(target.name), 0) end
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
  if type(name) == "number" then return self:item(v, name) end
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
  local cut <const> = values.slice(v, part(by.start), part(by.stop), part(by.step))
  self:step(text.is(cut) and #text.raw(cut) // 64 or #cut)
  return cut
end

function E:arguments(args, scope, caller)
  local given = { named = {} }
  for i, each in ipairs(args) do given[i] = self:eval(each, scope) end
  if args.list then
    for _, item in ipairs(values.items(self:eval(args.list, scope))) do given[#given + 1] = item end
  end
  for _, each in ipairs(args.named) do given.named[each.name] = self:eval(each[1], scope) end
  if args.dict then
    local dict <const> = self:eval(args.dict, scope)
    for _, key in ipairs(values.items(dict)) do given.named[text.raw(key)] = values.lookup(dict, key) end
  end
  given.named.caller = caller or given.named.caller
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
  local v <const> = node[1] and self:eval(node[1], scope) or scope.filtered
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
  local result <const> = values.binary(node.op, self:eval(node[1], scope), self:eval(node[2], scope))
  if text.is(result) then self:step(#text.raw(result) // 64) elseif type(result) == "table" then self:step(#result) end
  return result
end

function EXPRESSIONS.concat(self, node, scope)
  local parts = {}
  for i, each in ipairs(node) do parts[i] = values.str(self:eval(each, scope)) end
  return text.join(parts)
end

function EXPRESSIONS.negative(self, node, scope) return values.binary("-", 0, self:eval(node[1], scope)) end
function EXPRESSIONS.positive(self, node, scope) return values.binary("+", 0, self:eval(node[1], scope)) end

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
    cycle = values.callable("cycle", function(choices) return choices[(i - 1) % #choices + 1] end),
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
      return self:capture(function() self:loop(node, arguments[1], scope, depth + 1) end)
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

function E:macro(name, parameters, body, scope)
  return values.callable(name, function(arguments)
    return self:nested(function()
      local around <const>, used = inner(scope), {}
      for i, parameter in ipairs(parameters) do
        local v = arguments[i]
        if v == nil then v = arguments.named[parameter.name] end
        if v == nil and parameter.default then v = self:eval(parameter.default, around) end
        if v == nil then v = values.undefined(("%q"):format(parameter.name)) end
        around.vars[parameter.name] = v
        used[parameter.name] = true
      end
      local more <const>, others <const> = values.tuple(table.move(arguments, #parameters + 1, #arguments, 1, {})), values.dict()
      local names = {}
      for each in pairs(arguments.named) do
        if not used[each] and each ~= "caller" then names[#names + 1] = each end
      end
      table.sort(names)
      for _, each in ipairs(names) do values.put(others, each, arguments.named[each]) end
      around.vars.varargs, around.vars.kwargs = more, others
      around.vars.caller = arguments.named.caller
      return self:capture(function() self:run(body, around) end)
    end)
  end)
end

function STATEMENTS.macro(self, node, scope)
  scope.vars[node.name] = self:macro(node.name, node.parameters, node.body, scope)
end

function STATEMENTS.call_block(self, node, scope)
  local caller <const> = self:macro("caller", node.parameters, node.body, scope)
  self:write(values.str(self:call(node.call, scope, caller)))
end

-- Functions that every template has.
local function globals(self, now)
  local function range(arguments)
    local first, last, step = arguments[1], arguments[2], arguments[3] or 1
    if last == nil then first, last = 0, first end
    local list = values.list {}
    if (last - first) // step > LONGEST_RANGE then error(("a range of more than %d"):format(LONGEST_RANGE), 0) end
    for i = first, last - (step > 0 and 1 or -1), step do list[#list + 1] = i end
    self:step(#list)
    return list
  end
  local function fields(arguments)
    local map = {}
    local dict <const> = arguments[1]
    if dict then
      for _, key in ipairs(values.items(dict)) do map[text.raw(key)] = values.lookup(dict, key) end
    end
    for name, v in pairs(arguments.named) do map[name] = v end
    return map
  end
  local all = {
    range = range,
    namespace = function(arguments) return { t = "namespace", map = fields(arguments) } end,
    dict = function(arguments)
      local dict <const>, map <const>, names = values.dict(), fields(arguments), {}
      for name in pairs(map) do names[#names + 1] = name end
      table.sort(names)
      for _, name in ipairs(names) do values.put(dict, name, map[name]) end
      return dict
    end,
    joiner = function(arguments)
      local used = false
      return values.callable("joiner", function()
        if used then return arguments[1] or ", " end
        used = true
        return ""
      end)
    end,
    raise_exception = function(arguments) error({ raised = text.raw(values.str(arguments[1] or "")) }, 0) end,
  }
  if now then all.strftime_now = function(arguments) return clock(text.raw(arguments[1]), now) end end
  for name, f in pairs(all) do all[name] = values.callable(name, f) end
  return all
end

-- Runs `body` with variables; the texts that it wrote, in order. Errors are the template's line and what is wrong, or
-- what the template raised.
function evaluator.run(body, variables, now)
  local self <const> = setmetatable({ steps = 0, written = 0, out = {}, depth = 0, line = 1 }, E)
  self.helpers = {
    step = function(n) self:step(n) end,
    attribute = function(v, name) return self:attribute(v, name) end,
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
