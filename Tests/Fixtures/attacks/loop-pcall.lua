-- A loop that catches whatever is raised in it.
-- expect: limit call
while true do pcall(function() while true do end end) end
