-- A separator that makes the length.
-- expect: limit memory
-- call-ms: 1000
string.rep("", 1 << 30, "0123456789")
