-- Beam search: keep the best few continuations instead of one.
-- Shows fork, which shares keys and values, and forward over all beams, which reads the weights once.
-- Run: lacuna run examples/05-beam-search.lua
local lacuna <const> = require "lacuna"
local WIDTH <const>, LENGTH <const> = 4, 40

local model <const> = assert(lacuna.model())
local root <close> = model:session {
  template = "tofu",
  messages = { { role = "user", content = "What lies behind the imagination of Marisol Tannhauer?" } },
}

local live, done, order = { { session = root, sum = 0.0, tokens = {} } }, {}, 0
while #live > 0 and #done < WIDTH do
  local sessions, candidates = {}, {}
  for i, beam in ipairs(live) do sessions[i] = beam.session end
  lacuna.forward(sessions)
  for _, beam in ipairs(live) do
    if #beam.tokens == LENGTH then
      -- Cut off as it is: going on in different ways would list one text several times.
      if #done < WIDTH then done[#done + 1] = { tokens = beam.tokens, mean = beam.sum / LENGTH } end
    else
      local ids, logprobs = beam.session:logits():log_softmax():topk(WIDTH + 1)
      for j, id in ipairs(ids) do
        order = order + 1
        candidates[#candidates + 1] = { from = beam, id = id, sum = beam.sum + logprobs[j], order = order }
      end
    end
  end
  table.sort(candidates, function(x, y) return x.sum > y.sum or (x.sum == y.sum and x.order < y.order) end)

  local nexts = {}
  for _, c in ipairs(candidates) do
    if #nexts == WIDTH or #done == WIDTH then break end
    local tokens = table.move(c.from.tokens, 1, #c.from.tokens, 1, {})
    if model:is_eog(c.id) then
      done[#done + 1] = { tokens = tokens, mean = c.sum / (#tokens + 1) }
    else
      tokens[#tokens + 1] = c.id
      local session = c.from.session:fork()
      session:push(c.id)
      nexts[#nexts + 1] = { session = session, sum = c.sum, tokens = tokens }
    end
  end
  for _, beam in ipairs(live) do
    if beam.session ~= root then beam.session:close() end
  end
  live = nexts
end

table.sort(done, function(x, y) return x.mean > y.mean end)
for i, beam in ipairs(done) do
  print(("%d  mean logprob %7.4f  %s"):format(i, beam.mean, model:decode(beam.tokens)))
end
