-- %b from every opening bracket of millions.
-- expect: limit call
string.find(("("):rep(2 << 20), "%b()")
