-- A length that does not fit any integer.
-- expect: error too large
string.rep("abc", math.maxinteger)
