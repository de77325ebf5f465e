-- The empty text, 2^62 times.
-- expect: ok
assert(string.rep("", 1 << 62) == "")
