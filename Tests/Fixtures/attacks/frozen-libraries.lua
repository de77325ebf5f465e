-- Every way to write a library.
-- expect: ok
for _, library in ipairs { string, table, math, utf8, coroutine, debug, require "lacuna", require "lacuna.vec" } do
  assert(not pcall(function() library.evil = 1 end))
  assert(not pcall(rawset, library, "evil", 1))
  assert(not pcall(setmetatable, library, {}))
  local step, state = pairs(library)
  assert(state == nil or not pcall(rawset, state, "evil", 1))
  assert(library.evil == nil)
end
assert(getmetatable("") == false and ("x").evil == nil)
