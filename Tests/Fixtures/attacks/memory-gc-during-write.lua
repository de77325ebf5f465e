-- A weak metatable with __newindex while memory runs out.
-- expect: limit memory
-- call-ms: 1000
local keep = {}
for round = 1, 1e9 do
  local mt = setmetatable({}, { __mode = "v" })
  mt.__newindex = {}
  local t = setmetatable({}, mt)
  for i = 1, 1000 do t[i] = { i }; keep[#keep + 1] = { t } end
end
