-- Thousands of nested parentheses.
-- expect: ok
assert(not load("return " .. ("("):rep(20000) .. "1" .. (")"):rep(20000)))
