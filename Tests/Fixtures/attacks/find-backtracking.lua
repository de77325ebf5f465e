-- A pattern that backtracks for years.
-- expect: limit call
string.find(("a"):rep(500), ".-.-.-.-.-b$")
