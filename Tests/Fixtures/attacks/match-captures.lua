-- Backtracking with captures.
-- expect: limit call
string.match(("ab"):rep(2000), "(.-)(.-)(.-)(.-)%1x")
