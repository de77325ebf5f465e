local lacuna <const> = require "lacuna"

-- The `width` best ways to go on from the beams of one group, by log-probability less what other groups cost them.
local function expand(beams, width, penalty)
  local candidates, order = {}, 0
  for _, beam in ipairs(beams) do
    local logprobs = beam.session:logits():log_softmax()
    local scores = penalty and logprobs:copy():bias(penalty) or logprobs
    -- One of them may end the answer: with one more there are always `width` that go on.
    for _, id in ipairs((scores:topk(math.min(width + 1, #scores)))) do
      order = order + 1
      candidates[order] = { beam = beam, id = id, sum = beam.sum + logprobs[id], rank = beam.sum + scores[id], order = order }
    end
  end
  table.sort(candidates, function(x, y) return x.rank > y.rank or (x.rank == y.rank and x.order < y.order) end)
  return candidates
end

-- One group's step: finished beams go to `done`, the best others live on in forks, which share keys and values.
local function advance(group, candidates, step, p, model, root)
  local live = {}
  for _, c in ipairs(candidates) do
    if #live == p.width then break end
    local score = c.sum / step ^ p.length_penalty
    if model:is_eog(c.id) then
      if #group.done < p.width then group.done[#group.done + 1] = { session = c.beam.session:fork(), score = score, finish = "eos" } end
    else
      local session = c.beam.session:fork()
      session:push(c.id)
      live[#live + 1] = { session = session, sum = c.sum, id = c.id, score = score, finish = "length" }
    end
  end
  for _, beam in ipairs(group.live) do
    if beam.session ~= root then beam.session:close() end
  end
  group.live = #group.done >= p.width and {} or live
end

local function search(root, p, ctx, groups, strength)
  local room <const> = root.model.info.context - #root
  if room <= 0 then return root, { finish = "length" } end       -- no beam, and no score
  for step = 1, math.min(p.max_tokens, room) do
    local sessions = {}
    for _, group in ipairs(groups) do
      for _, beam in ipairs(group.live) do sessions[#sessions + 1] = beam.session end
    end
    if #sessions == 0 then break end
    lacuna.forward(sessions)                       -- the weights are read once for all beams
    local taken = {}
    for _, group in ipairs(groups) do
      if #group.live > 0 then
        local penalty = {}
        for id, count in pairs(taken) do penalty[id] = -strength * count end
        advance(group, expand(group.live, p.width, next(penalty) and penalty), step, p, ctx.model, root)
        for _, beam in ipairs(group.live) do taken[beam.id] = (taken[beam.id] or 0) + 1 end
      end
    end
  end
  local all = {}
  for _, group in ipairs(groups) do
    table.move(group.done, 1, #group.done, #all + 1, all)
    table.move(group.live, 1, #group.live, #all + 1, all)
  end
  table.sort(all, function(x, y) return x.score > y.score end)
  local scores = {}
  for i, beam in ipairs(all) do scores[i] = beam.score end
  return all[1].session, { finish = all[1].finish, score = all[1].score, scores = scores }
end

local function new_group(root) return { live = { { session = root, sum = 0.0 } }, done = {} } end

local function params(more)
  local all = {
    width = { type = "integer", default = 4, min = 1, max = 64, unit = "beams" },
    max_tokens = { type = "integer", default = 64, min = 1, unit = "tokens" },
    length_penalty = { type = "number", default = 1.0, min = 0, max = 10,
      description = "a beam's sum is divided by its length to this power" },
  }
  for name, parameter in pairs(more or {}) do all[name] = parameter end
  return all
end

return lacuna.plugin {
  decoders = {
    beam = {
      description = "keeps the `width` most probable continuations and returns the best one",
      params = params(),
      run = function(session, p, ctx) return search(session, p, ctx, { new_group(session) }, 0) end,
    },
    diverse_beam = {
      description = "groups of beams; a group pays for tokens that earlier groups chose at the same step",
      params = params {
        groups = { type = "integer", default = 3, min = 1, max = 16 },
        diversity = { type = "number", default = 0.5, min = 0, max = 100, description = "nats for each earlier choice" },
      },
      run = function(session, p, ctx)
        local groups = {}
        for i = 1, p.groups do groups[i] = new_group(session) end
        return search(session, p, ctx, groups, p.diversity)
      end,
    },
  },
}
