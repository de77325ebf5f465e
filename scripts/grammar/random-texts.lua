-- Random texts of JSON Schemas: `lacuna run random-texts.lua -- FILE COUNT` reads a schema a line and prints
-- {"line":n,"text":...} for COUNT texts of each, drawn evenly from what the grammar allows next.
local lacuna <const> = require "lacuna"
local path <const>, count <const> = arg[1], math.tointeger(arg[2]) or 5
local m <const> = assert(lacuna.model())

-- Closers are drawn more often, or recursive schemas would never end.
local closers <const> = {}
for id = 0, m.vocab.size - 1 do
  if m:piece(id):find '^["}%]]' then closers[#closers + 1] = id end
end

local function text_of(grammar, rng)
  local at, ids = grammar:matcher(m), {}
  for _ = 1, 800 do
    if at:is_finished() or at:is_accepting() and rng:uniform() < 0.5 then return m:decode(ids) end
    local mask <const> = at:mask()
    local id
    if rng:uniform() < 0.3 then
      local close <const> = closers[rng:integer(1, #closers)]
      if mask:contains(close) then id = close end
    end
    local allowed <const> = mask:ids()
    id = id or allowed[rng:integer(1, #allowed)]
    if m:is_eog(id) then return m:decode(ids) end
    at:accept(id)
    ids[#ids + 1] = id
  end
end

local number, unfinished = 0, 0
for line in io.lines(path) do
  number = number + 1
  local grammar <const> = assert(lacuna.grammar.json(line))
  local rng <const> = lacuna.rng(number)
  for _ = 1, count do
    local text <const> = text_of(grammar, rng)
    if text then
      assert(grammar:accepts(text), text)
      lacuna.write(lacuna.json.encode { line = number, text = text }, "\n")
    else
      unfinished = unfinished + 1
    end
  end
end
lacuna.log.info("unfinished texts", { count = unfinished })
