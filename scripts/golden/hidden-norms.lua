-- The lengths of all hidden states of a list of token ids, by layer and position, as one JSON object.
-- scripts/check-golden compares them with the reference's. Run: lacuna run ... --model M -- 1,5,9
local lacuna <const> = require "lacuna"

local ids = {}
for id in arg[1]:gmatch "%d+" do ids[#ids + 1] = math.tointeger(id) end
local trace <const> = assert(lacuna.model()):trace(ids, { hidden = "all" })
local norms = {}
for layer = 0, #trace.hidden do
  local row = {}
  for i, state in ipairs(trace.hidden[layer]) do row[i] = state:norm() end
  norms[layer + 1] = row
end
print(lacuna.json.encode { hidden_norms = norms })
