local lacuna <const> = require "lacuna"
return {
  ["a long text is cut into pieces that are summarized again"] = function(t)
    local sentence <const> = "Marisol Tannhauer has won the Harbour Lantern Prize for a whole body of work. "
    local output = assert(lacuna.pipeline("summarize", {
      text = sentence:rep(8), instruction = "", template = "tofu", piece_tokens = 40, max_tokens = 4, rounds = 3,
    }))
    t.ok(output.pieces > 2, "pieces: " .. output.pieces)
    t.ok(output.rounds >= 1 and output.rounds <= 3)
    t.ok(#output.summary < 8 * #sentence)
  end,
  ["a text without blanks is cut as well"] = function(t)
    for _, text in ipairs { ("\u{4e00}\u{4e8c}\u{4e09}"):rep(150), ("x"):rep(2500) } do
      local output = assert(lacuna.pipeline("summarize", { text = text, template = "tofu", max_tokens = 2, rounds = 1 }))
      t.ok(output.pieces > 1, "pieces: " .. output.pieces)
    end
  end,
  ["a long instruction leaves less room for the text, or none"] = function(t)
    local model <const> = assert(lacuna.model())
    local long <const> = ("Say it in few words. "):rep(60)
    local used <const> = #model:encode(long)
    t.ok(used > 200)
    local text <const> = ("the harbour was closed in March. "):rep(100)
    assert(lacuna.pipeline("summarize", { text = text, instruction = long, template = "tofu", max_tokens = 2, rounds = 1 }))
    local output, err = lacuna.pipeline("summarize",
      { text = text, instruction = long, template = "tofu", max_tokens = model.info.context - used })
    t.equal(output, nil)
    t.ok(err.message:find("leave no room", 1, true), err.message)
  end,
  ["an empty text is refused"] = function(t)
    local output, err = lacuna.pipeline("summarize", { text = " ", template = "tofu", max_tokens = 4 })
    t.equal(output, nil)
    t.ok(err.message:find("empty", 1, true), err.message)
  end,
  ["each round leaves a critique"] = function(t)
    local output = assert(lacuna.pipeline("critique", {
      question = "Which award has Marisol Tannhauer won?", template = "tofu", max_tokens = 24, rounds = 2,
    }))
    t.equal(#output.critiques, 2)
    t.ok(#output.answer > 0)
  end,
}
