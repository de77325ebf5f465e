-- A packed text of two thousand million bytes.
-- expect: limit memory
-- call-ms: 1000
string.pack("c2000000000", "x")
