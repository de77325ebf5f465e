local lacuna <const> = require "lacuna"
local function calculate(expression) return lacuna.tool("calculate", { expression = expression }) end
return {
  ["brackets, then powers, then products, then sums"] = function(t)
    for expression, value in pairs {
      ["1 + 2 * 3"] = 7, ["(1 + 2) * 3"] = 9, ["2 ^ 3 ^ 2"] = 512, ["-2 ^ 2"] = -4, ["10 - 4 - 3"] = 3,
      ["8 / 4 / 2"] = 1, ["7 % 4"] = 3, ["sqrt(16) + abs(-2)"] = 6, ["1.5e2"] = 150, [".5 * 4"] = 2,
      ["ln(exp(3))"] = 3, ["2 * -3"] = -6,
    } do
      t.near(calculate(expression), value, 1e-12, expression)
    end
  end,
  ["what needs more than 64 bits is rounded, and does not wrap"] = function(t)
    t.equal(calculate "5000000000*5000000000", 2.5e19)
    t.equal(calculate "9223372036854775807 + 1", 2.0 ^ 63)
    t.equal(calculate "0 - 9223372036854775807 - 2", -2.0 ^ 63)
    t.equal(math.type(calculate "17 * 3"), "integer")
    t.equal(calculate "floor(5000000000.5) * ceil(4999999999.5)", 2.5e19)
  end,
  ["what is no expression is an error with the column"] = function(t)
    for expression, part in pairs {
      ["1 +"] = "column 4: expected a number", ["(1"] = 'expected ")"', ["1 2"] = "expected an operator",
      ["os.exit()"] = "column 1: expected a function", [""] = "column 1",
    } do
      local value, err = calculate(expression)
      t.equal(value, nil, expression)
      t.ok(err.message:find(part, 1, true), expression .. ": " .. err.message)
    end
  end,
  ["what has no value is an error"] = function(t)
    for _, expression in ipairs { "1 / 0", "0 / 0", "ln(0)", ("("):rep(60) .. "1" .. (")"):rep(60), "1 % 0" } do
      local value, err = calculate(expression)
      t.equal(value, nil, expression)
      t.ok(err.message)
    end
  end,
}
