-- lacuna.parallel inside itself, without end.
-- expect: ok
-- call-ms: 5000
local lacuna, deepest, why = require "lacuna", 0, nil
local function go(depth)
  deepest = math.max(deepest, depth)
  local _, errors = lacuna.parallel({ 1 }, function() local ok, err = pcall(go, depth + 1) if not ok then why = err error(err) end end)
  if errors[1] and depth > 1 then error(errors[1]) end
end
go(1)
assert(deepest < 50 and why.code == "limit", tostring(why))
