-- A text of a terabyte.
-- expect: limit memory
string.rep("x", 1 << 40)
