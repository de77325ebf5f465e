local NEXT <const> = { ["."] = { a = 2.0, b = 1.9 }, a = { ["</s>"] = 9 }, b = { ["</s>"] = 9 } }
return {
  ["with scale 1 guidance is greedy decoding"] = function(t)
    local m = t.model { vocab = { "a", "b", "." }, next = NEXT }
    t.equal(m:session({ text = "." }):generate({ decoder = "guidance", scale = 1, negative = "a" }).text, "a")
  end,
  ["guidance turns from what the model says anyway"] = function(t)
    -- Without the condition the model prefers a by far; with it, by little.
    local m = t.model {
      vocab = { "a", "b", ".", "!" },
      next = { ["."] = { a = 2.0, b = 1.9 }, ["!"] = { a = 3, b = 0 }, a = { ["</s>"] = 9 }, b = { ["</s>"] = 9 } },
    }
    local result = m:session({ text = "." }):generate { decoder = "guidance", scale = 2, negative = "!" }
    t.equal(result.text, "b")
    t.equal(result.finish, "eos")
  end,
  ["another model's name is asked for"] = function(t)
    local m = t.model { vocab = { "a", "." }, next = { ["."] = { a = 1 } } }
    t.raises(function() m:session({ text = "." }):generate { decoder = "contrast/contrast" } end, '"amateur"')
  end,
}
