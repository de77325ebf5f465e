-- The logit lens: what the model would say at every word of its answer if it ended behind an earlier layer.
-- Shows a trace with lenses of all layers, a heat map in the terminal, and the same as SVG (-o FILE).
-- Run: lacuna run examples/12-logit-lens.lua -- -o lens.svg
local lacuna <const> = require "lacuna"

local output, question = nil, "Where and when was Marisol Tannhauer born?"
for i, word in ipairs(arg or {}) do
  if word == "-o" then output = arg[i + 1] elseif arg[i - 1] ~= "-o" then question = word end
end
local model <const> = assert(lacuna.model())
local layers <const> = model.info.layers

-- The answer, and the model read once more over it: the lens at one token says what comes next.
local session <close> = model:session { template = "tofu", messages = { { role = "user", content = question } } }
local start <const> = #session
local answer <const> = session:generate { max_tokens = 16, sampler = "greedy" }
local trace <const> = session:trace { lens = "all" }

-- Rows from the last layer down to the embedding, a column for each token of the answer.
local rows = {}
for layer = layers, 0, -1 do
  local row = { layer = layer }
  for i, token in ipairs(answer.tokens) do
    local logits <const> = trace.lens[layer][start + i - 1]
    local id <const> = logits:argmax()
    row[i] = { piece = model:piece(id):gsub("▁", " "), p = math.exp(logits:log_softmax()[id]), right = id == token }
  end
  rows[#rows + 1] = row
end

-- From white through blue; what is said in the end is set apart.
local function mix(p) return math.floor(247 - 239 * p), math.floor(251 - 203 * p), math.floor(255 - 148 * p) end

local COLOURED <const> = not os.getenv "NO_COLOR" and os.execute "test -t 1" == true
local function cell(c)
  local text <const> = (c.right and "*" or " ") .. c.piece
  local cut <const> = text:sub(1, (utf8.offset(text, 9) or #text + 1) - 1)
  local padded <const> = cut .. (" "):rep(9 - utf8.len(cut))
  if not COLOURED then return padded end
  local r, g, b = mix(c.p)
  return ("\27[48;2;%d;%d;%dm\27[%sm%s\27[0m"):format(r, g, b, c.p > 0.5 and "97" or "30", padded)
end
print(question)
for _, row in ipairs(rows) do
  local line = {}
  for i = 1, math.min(#row, 12) do line[i] = cell(row[i]) end
  print(("%5d  %s"):format(row.layer, table.concat(line)))
end
print("layer  * marks what the model says in the end; darker is more probable")

if not output then return end
local W <const>, H <const>, LEFT <const>, TOP <const> = 84, 30, 60, 56
local function escape(text) return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" })) end
local svg = {
  ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">')
    :format(LEFT + W * #answer.tokens + 16, TOP + H * #rows + 44),
  '<rect width="100%" height="100%" fill="white"/>',
  ('<text x="%d" y="24" font-size="15">%s</text>'):format(LEFT, escape(question)),
  ('<text x="%d" y="44" fill="#666">%s, what each layer would say next</text>'):format(LEFT, escape(model.info.name)),
}
for r, row in ipairs(rows) do
  local y <const> = TOP + H * (r - 1)
  svg[#svg + 1] = ('<text x="%d" y="%d" text-anchor="end" fill="#666">%d</text>'):format(LEFT - 8, y + 20, row.layer)
  for i, c in ipairs(row) do
    local x <const> = LEFT + W * (i - 1)
    local red, green, blue = mix(c.p)
    svg[#svg + 1] = ('<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="#%02x%02x%02x" stroke="%s"/>')
      :format(x + 1, y + 1, W - 2, H - 2, red, green, blue, c.right and "#d9480f" or "#ddd")
    svg[#svg + 1] = ('<text x="%d" y="%d" text-anchor="middle" fill="%s">%s</text>')
      :format(x + W // 2, y + 20, c.p > 0.5 and "white" or "#222", escape(c.piece))
  end
end
svg[#svg + 1] = ('<text x="%d" y="%d" fill="#666">%s</text>')
  :format(LEFT, TOP + H * #rows + 24, "framed: what is said in the end; darker: more probable")
svg[#svg + 1] = "</svg>\n"
local file <const> = assert(io.open(output, "w"))
file:write(table.concat(svg, "\n"))
file:close()
print("written to " .. output)
