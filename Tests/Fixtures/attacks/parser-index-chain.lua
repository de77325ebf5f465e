-- An error message about a long chain of indices.
-- expect: error attempt to index
assert(load("local a = {} return a" .. (".b"):rep(15000)))()
