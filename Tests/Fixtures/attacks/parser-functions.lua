-- Thousands of nested functions.
-- expect: ok
assert(not load(("return function() "):rep(2500) .. ("end "):rep(2500)))
