-- An error message about a name of sixty thousand letters.
-- expect: error unknown global
assert(load("return " .. ("x"):rep(60000)))()
