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
  ["the detector's green tokens are the sampler's"] = function(t)
    for _, size in ipairs { 7, 64 } do
      for previous = 0, 6 do
        -- The sampler's: those that a delta lifts.
        local flat = {}
        for id = 1, size do flat[id] = 0.0 end
        local probs <const> = t.filter({ "green_list", key = 11, share = 0.4, delta = 5 }, flat, { tokens = { previous } })
        for id = 0, size - 1 do
          local found = assert(lacuna.tool("detect_watermark", { tokens = { previous, id }, vocab = size, key = 11, share = 0.4 }))
          t.equal(found.green, probs[id + 1] > 1 / size and 1 or 0, ("%d after %d"):format(id, previous))
        end
      end
    end
  end,
  ["an id outside the vocabulary is refused"] = function(t)
    for i, tokens in ipairs { { 64, 1 }, { 1, 64 }, { 1, -1 } } do
      local found, err = lacuna.tool("detect_watermark", { tokens = tokens, vocab = 64 })
      t.equal(found, nil)
      t.ok(err.message:find(("tokens[%d]: expected an id below vocab, 64"):format(i == 1 and 1 or 2), 1, true), err.message)
    end
  end,
  ["z is the share's distance in deviations"] = function(t)
    local found = detect(text(t, {}, 4))
    t.near(found.z, (found.green - found.pairs / 4) / (found.pairs * 3 / 16) ^ 0.5)
  end,
}
