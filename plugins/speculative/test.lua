local NEXT <const> = { a = { b = 4, c = 3.5 }, b = { c = 3, a = 2.5 }, c = { a = 3, b = 1 } }
local function model(t, name) return t.model { vocab = { "a", "b", "c" }, next = NEXT, name = name } end

return {
  ["the other model's name is asked for"] = function(t)
    t.raises(function() model(t):session({ text = "a" }):generate { decoder = "speculative" } end, '"draft"')
  end,
  ["a draft model of another vocabulary is refused"] = function(t)
    local session <const> = model(t):session { text = "a" }
    t.raises(function() session:generate { decoder = "speculative", draft = "demo" } end, "vocabulary")
  end,
}
