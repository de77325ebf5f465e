-- Every way to write a global.
-- expect: ok
assert(not pcall(function() answer = 42 end))
assert(not pcall(function() _G.answer = 42 end))
assert(not pcall(rawset, _G, "answer", 42))
assert(not pcall(setmetatable, _G, {}))
assert(not pcall(table.insert, _G, 42))
assert(not pcall(load "print = nil"))
assert(getmetatable(_G) == false)
for _, value in pairs(_G) do assert(value ~= nil) end
assert(not pcall(function() return answer end))
