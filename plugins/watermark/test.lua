local lacuna <const> = require "lacuna"

local function text(t, stages, seed)
  local rows = {}
  for i = 1, 120 do
    rows[i] = {}
    for id = 1, 64 do rows[i][id] = 0.0 end
  end
  stages[#stages + 1] = "dist"
  return t.draw(stages, rows, { seed = seed, tokens = { 7 } })
end

local function detect(tokens, key)
  return assert(lacuna.tool("detect_watermark", { tokens = table.move(tokens, 1, #tokens, 2, { 7 }), vocab = 64, key = key }))
end

return {
  ["a marked text is found, and by its own key only"] = function(t)
    local marked = text(t, { { "green_list", delta = 4 } }, 3)
    local found = detect(marked)
    t.ok(found.z > 6, "z = " .. found.z)
    t.ok(found.p < 1e-6)
    t.ok(math.abs(detect(marked, 99).z) < 3)
  end,
  ["a text without a mark is let go"] = function(t)
    local found = detect(text(t, {}, 3))
    t.ok(math.abs(found.z) < 3, "z = " .. found.z)
  end,
  ["z is the share's distance in deviations"] = function(t)
    local found = detect(text(t, {}, 4))
    t.near(found.z, (found.green - found.pairs / 4) / (found.pairs * 3 / 16) ^ 0.5)
  end,
}
