-- The first key of a table that is emptied from the front, which is quadratic.
-- expect: limit call
-- memory-mb: 32
local t = {}
for i = 1, 100000 do t["k" .. i] = i end
while true do
  for k in pairs(t) do t[k] = nil end
  for i = 1, 100000 do t["k" .. i] = i end
end
