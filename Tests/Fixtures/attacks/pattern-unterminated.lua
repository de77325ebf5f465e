-- A very long unterminated set.
-- expect: error malformed pattern
string.find("x", "[" .. ("a"):rep(1 << 20))
