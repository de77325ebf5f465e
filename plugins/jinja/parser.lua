-- Tokens to a tree, by jinja2's grammar. A node is { type, ... , line = }; see evaluator.lua for what each holds.
local parser <const> = {}

local COMPARISONS <const> = { ["=="] = true, ["!="] = true, ["<"] = true, ["<="] = true, [">"] = true, [">="] = true }
local CONSTANTS <const> = { ["true"] = true, True = true, ["false"] = false, False = false }
local KEYWORDS <const> = {
  ["and"] = true, ["or"] = true, ["not"] = true, ["in"] = true, ["is"] = true, ["if"] = true, ["else"] = true,
  ["elif"] = true, ["recursive"] = true,
}
local DEEPEST <const> = 100

local P <const> = {}
P.__index = P

function P:fail(message, token) error(("line %d: %s"):format((token or self.token).line, message), 0) end

function P:advance()
  local token <const> = self.token
  self.at = self.at + 1
  self.token = self.tokens[self.at] or token
  return token
end

function P:is(kind, value) return self.token.kind == kind and (value == nil or self.token.value == value) end
function P:op(value) return self:is("operator", value) end
function P:name(value) return self:is("name", value) end

function P:skip(kind, value)
  if self:is(kind, value) then return self:advance() end
end

local function shown(token)
  if token.kind == "eof" then return "the end of the template" end
  if token.kind == "end" or token.kind == "end_print" then return "the end of the tag" end
  return ("%q"):format(tostring(token.value))
end

function P:expect(kind, value)
  if not self:is(kind, value) then
    self:fail(("expected %s, found %s"):format(value and ("%q"):format(value) or "a " .. kind, shown(self.token)))
  end
  return self:advance()
end

function P:node(kind, fields)
  fields.type, fields.line = kind, self.token.line
  return fields
end

-- Expressions, the loosest binding first.

function P:expression()
  self.depth = self.depth + 1
  if self.depth > DEEPEST then self:fail("an expression nested too deeply") end
  local node = self:disjunction()
  while self:skip("name", "if") do
    local test <const> = self:disjunction()
    local otherwise = nil
    if self:skip("name", "else") then otherwise = self:expression() end
    node = self:node("conditional", { test = test, node, otherwise })
  end
  self.depth = self.depth - 1
  return node
end

function P:disjunction()
  local left = self:conjunction()
  while self:skip("name", "or") do left = self:node("or", { left, self:conjunction() }) end
  return left
end

function P:conjunction()
  local left = self:negation()
  while self:skip("name", "and") do left = self:node("and", { left, self:negation() }) end
  return left
end

function P:negation()
  if self:skip("name", "not") then
    self.depth = self.depth + 1
    if self.depth > DEEPEST then self:fail("an expression nested too deeply") end
    local node <const> = self:node("not", { self:negation() })
    self.depth = self.depth - 1
    return node
  end
  return self:comparison()
end

function P:comparison()
  local first <const> = self:sum()
  local rest = {}
  while true do
    local next_token <const> = self.tokens[self.at + 1]
    if self.token.kind == "operator" and COMPARISONS[self.token.value] then
      rest[#rest + 1] = { op = self:advance().value, self:sum() }
    elseif self:skip("name", "in") then
      rest[#rest + 1] = { op = "in", self:sum() }
    elseif self:name("not") and next_token.kind == "name" and next_token.value == "in" then
      self:advance()
      self:advance()
      rest[#rest + 1] = { op = "not in", self:sum() }
    else
      break
    end
  end
  return #rest > 0 and self:node("compare", { first, rest = rest }) or first
end

local function binary(operators, operand)
  return function(self)
    local left = operand(self)
    while self.token.kind == "operator" and operators[self.token.value] do
      local op <const> = self:advance().value
      left = self:node("binary", { op = op, left, operand(self) })
    end
    return left
  end
end

P.power = binary({ ["**"] = true }, function(self) return self:unary(true) end)
P.product = binary({ ["*"] = true, ["/"] = true, ["//"] = true, ["%"] = true }, P.power)

function P:concatenation()
  local parts = { self:product() }
  while self:skip("operator", "~") do parts[#parts + 1] = self:product() end
  return #parts > 1 and self:node("concat", parts) or parts[1]
end

P.sum = binary({ ["+"] = true, ["-"] = true }, P.concatenation)

function P:unary(with_filters)
  self.depth = self.depth + 1
  if self.depth > DEEPEST then self:fail("an expression nested too deeply") end
  local node
  if self:skip("operator", "-") then
    node = self:node("negative", { self:unary(false) })
  elseif self:skip("operator", "+") then
    node = self:node("positive", { self:unary(false) })
  else
    node = self:postfix(self:primary())
  end
  if with_filters then node = self:filtered(node) end
  self.depth = self.depth - 1
  return node
end

function P:primary()
  local token <const> = self.token
  if token.kind == "name" then
    if KEYWORDS[token.value] then self:fail(("expected a value, found %q"):format(token.value)) end
    self:advance()
    if CONSTANTS[token.value] ~= nil then return self:node("constant", { value = CONSTANTS[token.value] }) end
    if token.value == "none" or token.value == "None" then return self:node("none", {}) end
    self.mentions[token.value] = true
    return self:node("name", { name = token.value })
  elseif token.kind == "string" then
    local parts = {}
    while self:is("string") do parts[#parts + 1] = self:advance().value end
    return self:node("constant", { value = table.concat(parts) })
  elseif token.kind == "number" then
    return self:node("constant", { value = self:advance().value })
  elseif self:skip("operator", "(") then
    local node <const> = self:tuple(true, ")")
    self:expect("operator", ")")
    return node
  elseif self:skip("operator", "[") then
    local items = {}
    while not self:op("]") do
      if #items > 0 then self:expect("operator", ",") end
      if self:op("]") then break end
      items[#items + 1] = self:expression()
    end
    self:expect("operator", "]")
    return self:node("list", items)
  elseif self:skip("operator", "{") then
    local items = {}
    while not self:op("}") do
      if #items > 0 then self:expect("operator", ",") end
      if self:op("}") then break end
      local key <const> = self:expression()
      self:expect("operator", ":")
      items[#items + 1] = { key, self:expression() }
    end
    self:expect("operator", "}")
    return self:node("dict", items)
  end
  self:fail(("expected a value, found %s"):format(shown(token)))
end

-- One expression, or several with commas between them as a tuple.
function P:tuple(with_conditional, closer)
  local items, is_tuple = {}, false
  while true do
    if #items > 0 then
      if not self:skip("operator", ",") then break end
      is_tuple = true
    end
    if (closer and self:op(closer)) or self:is("end") or self:is("end_print") then break end
    if self:op("=") or self:name("recursive") then break end
    items[#items + 1] = with_conditional and self:expression() or self:disjunction()
  end
  if #items == 1 and not is_tuple then return items[1] end
  if #items == 0 and closer ~= ")" then self:fail(("expected a value, found %s"):format(shown(self.token))) end
  return self:node("tuple", items)
end

function P:postfix(node)
  while true do
    if self:skip("operator", ".") then
      if self:is("name") then
        node = self:node("attribute", { node, name = self:advance().value })
      elseif self:is("number") then
        node = self:node("item", { node, self:node("constant", { value = self:advance().value }) })
      else
        self:fail(("expected a name, found %s"):format(shown(self.token)))
      end
    elseif self:skip("operator", "[") then
      node = self:node("item", { node, self:subscript() })
      self:expect("operator", "]")
    elseif self:op("(") then
      node = self:node("call", { node, args = self:arguments() })
    else
      return node
    end
  end
end

function P:subscript()
  local parts, n = {}, 1
  if not self:op(":") then parts[1] = self:tuple(true, "]") end
  if not self:op(":") then return parts[1] end
  while self:skip("operator", ":") do
    n = n + 1
    if n > 3 then self:fail("a slice of more than three parts") end
    if not self:op(":") and not self:op("]") then parts[n] = self:expression() end
  end
  return self:node("slice", { start = parts[1], stop = parts[2], step = parts[3] })
end

-- ( a, b = c, *d, **e )
function P:arguments()
  local args = { named = {} }
  self:expect("operator", "(")
  while not self:op(")") do
    if #args > 0 or #args.named > 0 or args.list or args.dict then
      self:expect("operator", ",")
      if self:op(")") then break end
    end
    local after <const> = self.tokens[self.at + 1]
    if self:skip("operator", "*") then
      args.list = self:expression()
    elseif self:skip("operator", "**") then
      args.dict = self:expression()
    elseif self:is("name") and after.kind == "operator" and after.value == "=" then
      local name <const> = self:advance().value
      self:advance()
      args.named[#args.named + 1] = { name = name, self:expression() }
    else
      if #args.named > 0 then self:fail("an argument without a name behind one with a name") end
      args[#args + 1] = self:expression()
    end
  end
  self:expect("operator", ")")
  return args
end

function P:dotted()
  local name = self:expect("name").value
  while self:skip("operator", ".") do name = name .. "." .. self:expect("name").value end
  return name
end

function P:filter(node)
  local name <const> = self:dotted()
  if not self.filters[name] then self:fail(("no filter %q"):format(name)) end
  return self:node("filter", { node or false, name = name, args = self:op("(") and self:arguments() or { named = {} } })
end

function P:filtered(node)
  while true do
    if self:skip("operator", "|") then
      node = self:filter(node)
    elseif self:skip("name", "is") then
      node = self:test(node)
    elseif self:op("(") then
      node = self:node("call", { node, args = self:arguments() })
    else
      return node
    end
  end
end

function P:test(node)
  local negated <const> = self:skip("name", "not")
  local name <const> = self:dotted()
  if not self.tests[name] then self:fail(("no test %q"):format(name)) end
  local args = { named = {} }
  if self:op("(") then
    args = self:arguments()
  else
    local kind <const> = self.token.kind
    local begins <const> = kind == "string" or kind == "number" or (kind == "name" and not KEYWORDS[self.token.value])
      or self:op("[") or self:op("{")
    if begins then args[1] = self:postfix(self:primary()) end
  end
  local result <const> = self:node("test", { node, name = name, args = args })
  return negated and self:node("not", { result }) or result
end

-- Statements.

-- x, (x, y), x, y; with `attributes` also x.y for a namespace's.
function P:target(attributes)
  local function one()
    if self:skip("operator", "(") then
      local inner <const> = self:target(false)
      self:expect("operator", ")")
      return inner
    end
    local name <const> = self:expect("name").value
    if KEYWORDS[name] or CONSTANTS[name] ~= nil then self:fail(("cannot assign to %q"):format(name)) end
    if attributes and self:skip("operator", ".") then
      return self:node("target_attribute", { name = name, attribute = self:expect("name").value })
    end
    return self:node("target", { name = name })
  end
  local items = { one() }
  while self:skip("operator", ",") do
    if self:op("=") or self:name("in") then break end
    items[#items + 1] = one()
  end
  return #items > 1 and self:node("target_tuple", items) or items[1]
end

-- Statements up to one of the tags named, whose name is taken; the tag's end is not.
function P:block(...)
  local enders <const> = table.pack(...)
  self.depth = self.depth + 1
  if self.depth > DEEPEST then self:fail("statements nested too deeply") end
  local opened <const> = self.token.line
  local body = {}
  while true do
    if self:is("data") then
      body[#body + 1] = self:node("data", { value = self:advance().value })
    elseif self:skip("print") then
      body[#body + 1] = self:node("print", { self:tuple(true) })
      self:expect("end_print")
    elseif self:skip("begin") then
      for _, name in ipairs(enders) do
        if self:name(name) then
          self.depth = self.depth - 1
          return body, self:advance().value
        end
      end
      body[#body + 1] = self:statement()
    elseif self:is("eof") then
      if #enders > 0 then
        self:fail(("expected %s for what begins at line %d, found the end of the template"):format(
          table.concat(enders, " or "), opened))
      end
      self.depth = self.depth - 1
      return body
    else
      self:fail(("unexpected %s"):format(shown(self.token)))
    end
  end
end

-- The body of a tag whose end is next.
function P:body(...)
  self:expect("end")
  return self:block(...)
end

function P:signature()
  local parameters = {}
  self:expect("operator", "(")
  while not self:op(")") do
    if #parameters > 0 then self:expect("operator", ",") end
    local parameter = { name = self:expect("name").value }
    if self:skip("operator", "=") then parameter.default = self:expression() end
    parameters[#parameters + 1] = parameter
  end
  self:expect("operator", ")")
  return parameters
end

local STATEMENTS <const> = {}

function P:statement()
  local token <const> = self:expect("name")
  local statement <const> = STATEMENTS[token.value]
  if not statement then self:fail(("no statement %q"):format(token.value), token) end
  local node <const> = statement(self)
  node.line = token.line
  self:expect("end")
  return node
end

STATEMENTS["if"] = function(self)
  local node, ender = self:node("if", { branches = {} }), nil
  repeat
    local test <const>, body = self:tuple(false), nil
    body, ender = self:body("elif", "else", "endif")
    node.branches[#node.branches + 1] = { test = test, body = body }
  until ender ~= "elif"
  if ender == "else" then node.otherwise = self:body("endif") end
  return node
end

STATEMENTS["for"] = function(self)
  local node = self:node("for", { target = self:target(false) })
  self:expect("name", "in")
  node.list = self:tuple(false)
  if self:skip("name", "if") then node.filter = self:expression() end
  node.recursive = self:skip("name", "recursive") ~= nil
  self.loops = self.loops + 1
  local ender
  node.body, ender = self:body("else", "endfor")
  self.loops = self.loops - 1
  if ender == "else" then node.otherwise = self:body("endfor") end
  return node
end

local function jump(kind)
  return function(self)
    if self.loops == 0 then self:fail(kind .. " outside a loop") end
    return self:node(kind, {})
  end
end
STATEMENTS["break"], STATEMENTS["continue"] = jump "break", jump "continue"

function STATEMENTS.set(self)
  local node = self:node("set", { target = self:target(true) })
  if self:skip("operator", "=") then
    node.value = self:tuple(true)
  else
    while self:skip("operator", "|") do node.filter = self:filter(node.filter) end
    node.body = self:body("endset")
  end
  return node
end

-- A macro's body, and the names that it mentions. Loops around the definition are not around the body.
local function detached(self, node, ender)
  local loops <const>, around <const> = self.loops, self.mentions
  self.loops, self.mentions = 0, {}
  node.body, node.mentions = self:body(ender), self.mentions
  for name in pairs(node.mentions) do around[name] = true end
  self.loops, self.mentions = loops, around
end

function STATEMENTS.macro(self)
  local node = self:node("macro", { name = self:expect("name").value })
  node.parameters = self:signature()
  detached(self, node, "endmacro")
  return node
end

function STATEMENTS.call(self)
  local node = self:node("call_block", { parameters = self:op("(") and self:signature() or {} })
  node.call = self:expression()
  if node.call.type ~= "call" then self:fail("expected a call") end
  detached(self, node, "endcall")
  return node
end

function STATEMENTS.filter(self)
  local node = self:node("filter_block", { filter = self:filter() })
  while self:skip("operator", "|") do node.filter = self:filter(node.filter) end
  node.body = self:body("endfilter")
  return node
end

STATEMENTS["with"] = function(self)
  local node = self:node("with", {})
  while not self:is("end") do
    if #node > 0 then self:expect("operator", ",") end
    local target <const> = self:target(false)
    self:expect("operator", "=")
    node[#node + 1] = { target = target, self:expression() }
  end
  node.body = self:body("endwith")
  return node
end

-- transformers' mark around what the assistant says; it writes nothing.
function STATEMENTS.generation(self)
  return self:node("scope", { body = self:body("endgeneration") })
end

-- The statements of a template. Filters and tests must exist where they are named, as in jinja2.
function parser.run(tokens, filters, tests)
  local self <const> = setmetatable(
    { tokens = tokens, at = 1, token = tokens[1], depth = 0, loops = 0, mentions = {}, filters = filters, tests = tests }, P)
  return (self:block())
end

return parser
