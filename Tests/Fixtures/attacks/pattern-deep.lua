-- A pattern of thousands of optional items.
-- expect: error pattern too complex
string.find(("a"):rep(100000), ("a?"):rep(100000))
