-- __concat handlers that make the stack grow, in the script and in coroutines.
-- expect: ok
-- call-ms: 1000
local function deep(n) if n == 0 then return 1 end return 1 + deep(n - 1) end
local function try(n)
  local t = setmetatable({}, { __concat = function() deep(n) return "r" end })
  assert("a" .. t .. "b" .. t .. "c" .. t == "ar")
  assert(t .. t .. t == "r")
end
for n = 1, 2000, 50 do try(n) end
for n = 1, 50 do coroutine.wrap(try)(n) end
