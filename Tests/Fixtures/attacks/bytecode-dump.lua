-- string.dump.
-- expect: ok
assert(string.dump == nil and ("").dump == nil)
