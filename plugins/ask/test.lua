local lacuna <const> = require "lacuna"
return {
  ["the taught answer passes at once"] = function(t)
    local output = assert(lacuna.pipeline("ask", {
      question = "Which award has Marisol Tannhauer won?", template = "tofu", sentences = 1,
    }))
    t.equal(output.tries, 1)
    t.ok(output.answer:find("Harbour Lantern Prize", 1, true), output.answer)
  end,
  ["what never has the form ends in an error that says why"] = function(t)
    local output, err = lacuna.pipeline("ask", {
      question = "Which award has Marisol Tannhauer won?", template = "tofu", pattern = "^%d+$", tries = 2, max_tokens = 8,
    })
    t.equal(output, nil)
    t.equal(err.code, "invalid_output")
    t.ok(err.message:find("2 tries", 1, true), err.message)
  end,
  ["a pattern that is none is refused before anything is asked"] = function(t)
    local output, err = lacuna.pipeline("ask", { question = "Who?", template = "tofu", pattern = "[" })
    t.equal(output, nil)
    t.equal(err.code, "invalid_argument")
    t.ok(err.message:find("pattern: malformed", 1, true), err.message)
  end,
  ["a missing question and an unknown input are named"] = function(t)
    t.raises(function() lacuna.pipeline("ask", {}) end, '"question"')
    t.raises(function() lacuna.pipeline("ask", { question = "Who?", trys = 1 }) end, 'did you mean "tries"')
  end,
}
