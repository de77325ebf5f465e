-- A message handler that fails.
-- expect: ok
for _ = 1, 100 do xpcall(error, function() error "again" end) end
