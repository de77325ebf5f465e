-- Output without end.
-- expect: limit call
while true do print(("x"):rep(1000)) end
