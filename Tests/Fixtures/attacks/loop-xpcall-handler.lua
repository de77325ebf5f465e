-- A message handler that does not return.
-- expect: limit call
while true do xpcall(error, function() while true do end end) end
