-- unpack of 2^62 elements.
-- expect: error too many results
table.unpack({}, 1, 1 << 62)
