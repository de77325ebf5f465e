-- Backtracking inside an iterator.
-- expect: limit call
for _ in string.gmatch(("a"):rep(3000), ".-.-.-b") do end
