-- A move of 2^62 elements that are not there.
-- expect: limit call
table.move({}, 1, 1 << 62, 2)
