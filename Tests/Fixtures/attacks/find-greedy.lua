-- The same with greedy repetitions.
-- expect: limit call
string.find(("a"):rep(3000), ".*.*.*.*b")
