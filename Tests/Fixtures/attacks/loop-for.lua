-- A numeric loop that does not end in this century.
-- expect: limit call
for _ = 1, math.maxinteger do end
