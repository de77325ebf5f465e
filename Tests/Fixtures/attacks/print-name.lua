-- A __name that is no string, beside texts that need a buffer of their own.
-- expect: ok
local odd = { 5, {}, true, print, require "lacuna.set".new(64) }
for _, name in ipairs(odd) do
  local t = setmetatable({}, { __name = name })
  assert(tostring(t) == "table")
  assert(string.format("%s|%s", ("x"):rep(2000), t) == ("x"):rep(2000) .. "|table")
  print(("x"):rep(2000), t, ("y"):rep(10000))
end
