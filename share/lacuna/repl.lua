-- The Lua side of `lacuna repl`: how values look, what Tab completes, and what the ":" commands do.
-- Called with { members = { ["lacuna.session"] = { methods = {...}, fields = {...} } }, stages = {...}, topics = {...} };
-- returns { run, complete, command, help }.
local lacuna <const> = require "lacuna"
local known <const> = ...

-- Globals of the person at the keyboard.
_G.lacuna = lacuna
model = assert(lacuna.model())
session = model:session()
chain = lacuna.sampler.chain "top_p:0.95 min_p:0.05 temperature:0.8 dist"

-- Values ------------------------------------------------------------------------------------------------------------

local WIDTH <const>, DEPTH <const>, ELEMENTS <const> = 100, 5, 40

-- "lacuna.session", or nil for what is no handle.
local function handle_type(value)
  local meta = type(value) == "userdata" and debug.getmetatable(value)
  return meta and meta.__name or nil
end

local function quoted(text)
  return (("%q"):format(text):gsub("\\\n", "\\n"):gsub("\\r", "\\r"):gsub("\\9", "\\t"))
end

local function piece(id) return id < model.vocab.size and " " .. quoted(model:piece(id)) or "" end

local handles <const> = {}

handles["lacuna.vec"] = function(v)
  local lines = { ("Vec of %d"):format(#v) }
  if #v == 0 then return lines[1] end
  local max, id = v:max()
  if not max then return lines[1] .. ": all NaN" end
  lines[1] = ("%s: max %.4g at %d, mean %.4g, as logits %.3f nats of entropy"):format(
    lines[1], max, id, v:sum() / #v, v:entropy())
  local ids, values = v:topk(5)
  local p = v:softmax()
  for i, id in ipairs(ids) do
    lines[#lines + 1] = ("  [%d] %.4g  p %.3f%s"):format(id, values[i], p[id], #v == model.vocab.size and piece(id) or "")
  end
  return table.concat(lines, "\n")
end

handles["lacuna.set"] = function(s)
  local ids = {}
  for id in s:each() do
    if #ids == 20 then ids[#ids + 1] = "..." break end
    ids[#ids + 1] = id
  end
  return ("Set of %d: %s"):format(#s, table.concat(ids, " "))
end

handles["lacuna.rng"] = function(r)
  return ("Rng: seed %d, stream %d, position %d"):format(r.seed, r.stream, r.position)
end

handles["lacuna.model"] = function(m)
  local info = m.info
  return ("Model %s: %.1f million weights in %s, %d layers, context %d, kernels %s"):format(
    info.name, info.parameters / 1e6, info.weights, info.layers, info.context, info.kernels)
end

handles["lacuna.session"] = function(s)
  local text = #s == 0 and "" or ": " .. quoted(s:text(-40))
  return ("Session of %d tokens, of %d%s"):format(#s, s.model.info.context, text)
end

handles["lacuna.chain"] = function(c) return ("Chain of %d stages"):format(#c) end
handles["lacuna.snapshot"] = function(s) return ("Snapshot of %d tokens"):format(#s) end
handles["lacuna.vocab"] = function(v) return ("Vocab of %d tokens"):format(v.size) end

local function handle(value)
  local shape = handles[handle_type(value) or ""]
  if not shape then return tostring(value) end
  local ok, text = pcall(shape, value)
  return ok and text or ("%s: %s"):format(tostring(value), tostring(text))
end

local function is_name(key) return type(key) == "string" and key:find "^[%a_][%w_]*$" ~= nil end

local function sorted_keys(t, from)
  local keys = {}
  for key in next, t do
    if not (math.type(key) == "integer" and key >= 1 and key <= from) then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    if type(a) == "number" or type(a) == "string" then return a < b end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local format

local function format_table(t, depth, seen)
  if seen[t] then return "<itself>" end
  if depth > DEPTH then return "{ ... }" end
  seen[t] = true
  local parts, left = {}, 0
  local function put(text)
    if #parts < ELEMENTS then parts[#parts + 1] = text else left = left + 1 end
  end
  local length = #t
  for i = 1, length do put(#parts < ELEMENTS and format(t[i], depth + 1, seen) or "") end
  for _, key in ipairs(sorted_keys(t, length)) do
    local name = is_name(key) and key or ("[%s]"):format(format(key, depth + 1, seen))
    put(#parts < ELEMENTS and ("%s = %s"):format(name, format(t[key], depth + 1, seen)) or "")
  end
  if left > 0 then parts[#parts + 1] = ("... %d more"):format(left) end
  seen[t] = nil
  if #parts == 0 then return "{}" end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #line + 2 * depth <= WIDTH and not line:find "\n" then return line end
  local indent = ("  "):rep(depth + 1)
  return ("{\n%s%s,\n%s}"):format(indent, table.concat(parts, ",\n" .. indent), ("  "):rep(depth))
end

function format(value, depth, seen)
  if value == lacuna.json.null then return "null" end
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "userdata" then
    -- Inside of something else a line must do.
    local text = handle(value)
    return depth == 0 and text or text:match "^[^\n]*"
  end
  if kind ~= "table" then return tostring(value) end
  local meta = getmetatable(value)
  if type(meta) == "table" and meta.__tostring then return tostring(value) end
  return format_table(value, depth, seen)
end

local function show(...)
  for i = 1, select("#", ...) do print(format((select(i, ...)), 0, {})) end
end

local function run(chunk) show(chunk()) end

-- Completion --------------------------------------------------------------------------------------------------------

local KEYWORDS <const> = {
  "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not",
  "or", "repeat", "return", "then", "true", "until", "while",
}

-- The value of "a.b.c", without calling anything but the handles' own fields.
local function resolve(path)
  local value = _G
  for name in path:gmatch "[^.]+" do
    local ok, inner = pcall(function() return value[name] end)
    if not ok then return nil end
    value = inner
  end
  return value
end

local function members(value, is_method)
  local names = {}
  local of_handle = known.members[handle_type(value) or ""]
  if of_handle then
    table.move(is_method and of_handle.methods or of_handle.fields, 1, 256, 1, names)
  elseif type(value) == "string" then
    value = string
  end
  for _ = 1, 4 do
    if type(value) ~= "table" then break end
    for key, member in next, value do
      if is_name(key) and (not is_method or type(member) == "function") then names[#names + 1] = key end
    end
    local meta = debug.getmetatable(value)
    value = meta and rawget(meta, "__index")
  end
  return names
end

-- The names that what is being typed may become, and how many bytes of it they replace.
local function complete(line)
  local candidates, word
  local function take(names, prefix)
    word, candidates = prefix, {}
    local seen = {}
    for _, name in ipairs(names) do
      if name:sub(1, #prefix) == prefix and not seen[name] then
        seen[name] = true
        candidates[#candidates + 1] = name
      end
    end
    table.sort(candidates)
  end
  local command = line:match "^:(%a*)$"
  local topic = line:match "^:help%s+([%w_.:]*)$"
  local text = line:match "[\"']([%w_-]*)$"
  local base, mark, prefix = line:match "([%a_][%w_.]*)([.:])([%w_]*)$"
  if command then
    local names = {}
    for name in pairs(known.commands) do names[#names + 1] = name end
    take(names, command)
  elseif topic then
    take(known.topics, topic)
  elseif text and select(2, line:gsub("[\"']", "")) % 2 == 1 then
    take(known.stages, text)
  elseif base then
    take(members(resolve(base), mark == ":"), prefix)
  else
    local names = table.move(KEYWORDS, 1, #KEYWORDS, 1, {})
    for name in pairs(_G) do names[#names + 1] = name end
    take(names, line:match "[%a_][%w_]*$" or "")
    if word == "" then candidates = {} end
  end
  return candidates, #word
end

-- Commands ----------------------------------------------------------------------------------------------------------

local commands <const> = {}

local function count(argument, default)
  if argument == "" then return default end
  local n = math.tointeger(tonumber(argument))
  if not n or n < 1 then error(("expected a number from 1, found %q"):format(argument), 0) end
  return n
end

local function check_session()
  if #session == 0 then error("the session is empty: `:prompt Once upon a time` or `:ask a question` begins one", 0) end
end

local function begin(options)
  session = model:session(options)
  show(session)
end

function commands.prompt(text) begin { text = text } end
function commands.ask(text) begin { messages = { { role = "user", content = text } } } end

function commands.top(argument)
  check_session()
  local ids, logprobs = session:logits():log_softmax():topk(count(argument, 10))
  for i, id in ipairs(ids) do
    print(("%3d  %-6d %7.3f%%  %8.3f  %s"):format(i, id, 100 * math.exp(logprobs[i]), logprobs[i], quoted(model:piece(id))))
  end
end

local function reports(top)
  return chain:explain(session:logits(), { tokens = session:tokens(), seed = session.seed, top = top })
end

function commands.explain(argument)
  check_session()
  print(("%-16s %9s %8s  %s"):format("stage", "survivors", "entropy", "most probable"))
  for _, stage in ipairs(reports(count(argument, 3))) do
    local best = {}
    for i, id in ipairs(stage.ids) do best[i] = ("%s %.3f"):format(quoted(model:piece(id)), stage.probs[i]) end
    print(("%-16s %9d %8.3f  %s"):format(stage.name, stage.survivors, stage.entropy, table.concat(best, "  ")))
  end
end

function commands.step(argument)
  check_session()
  for _ = 1, count(argument, 1) do
    local stages = reports(0)
    local result = session:generate { max_tokens = 1, sampler = chain }
    local id = result.tokens[1]
    if not id then return print(("(%s)"):format(result.finish)) end
    local left = {}
    for i = 1, #stages - 1 do left[i] = tostring(stages[i].survivors) end
    print(("%-20s %6d  p %.3f  left %s"):format(
      quoted(model:piece(id)), id, math.exp(result.logprobs[1]), table.concat(left, " > ")))
  end
end

function commands.back(argument)
  local n = count(argument, 1)
  if n > #session then error(("expected at most %d tokens, found %d"):format(#session, n), 0) end
  show(session:rewind(#session - n))
end

function commands.fork(name)
  check_session()
  if name == "" then
    local n = 1
    while rawget(_G, "fork" .. n) ~= nil do n = n + 1 end
    name = "fork" .. n
  end
  if not is_name(name) then error(("expected a name for the fork, found %q"):format(name), 0) end
  _G[name] = session:fork()
  print(("%s goes on from token %d; `session = %s` makes it the one of the commands"):format(name, #session, name))
end

local help <const> = [[
An expression is shown, a statement runs; an unfinished one goes on in the next line. Tab completes. What is `local`
ends with its line. Globals: model, session, chain, lacuna.

  :prompt TEXT   a new session that goes on from a text
  :ask TEXT      a new session with a question, in the model's chat template
  :top [N]       the likeliest next tokens: rank, id, probability, log-probability, piece
  :explain [N]   what each stage of `chain` leaves over, with its N likeliest tokens
  :step [N]      draw N tokens with `chain`
  :back [N]      take N tokens back
  :fork [NAME]   a second session from here on
  :help NAME     a function, type or sampler stage: `:help Vec:topk`, `:help min_p`
  :quit          leave (so does Ctrl-D)]]

known.commands = { help = true, quit = true }
for name in pairs(commands) do known.commands[name] = true end

local function command(name, argument)
  local run = commands[name]
  if not run then return false end
  run(argument)
  return true
end

return { run = run, complete = complete, command = command, help = help }
