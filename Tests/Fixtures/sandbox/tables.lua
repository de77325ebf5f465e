-- The table library on plain tables and on tables with metamethods.
local state = 99
local function random(n)
  state = (state * 1103515245 + 12345) % 2147483648
  return (state >> 8) % n + 1
end
local function show(...)
  local out = {}
  for i = 1, select("#", ...) do out[i] = tostring((select(i, ...))):gsub("^.-:%d+: ", "") end
  return table.concat(out, " ")
end
local function list(n)
  local t = {}
  for i = 1, n do t[i] = random(50) end
  return t
end
for n = 0, 60 do
  local t = list(n)
  print(table.concat(t, ","), show(pcall(table.concat, t, "-", 2, n - 1)))
  for _ = 1, 3 do
    local at, what = random(n + 4) - 1, random(100)
    print("insert", at, show(pcall(table.insert, t, at, what)), table.concat(t, ","))
    local ok, value = pcall(table.remove, t, at)
    print("remove", at, ok, ok and value, table.concat(t, ","))
  end
  print("move", (pcall(table.move, t, random(5), random(9), random(9))), #table.move(t, 1, #t, 2))
  t = list(n)
  table.sort(t)
  print("sort", table.concat(t, ","))
  table.sort(t, function(a, b) return a > b end)
  print("back", table.concat(t, ","), show(table.unpack(t, 1, 3)))
end
for _, n in ipairs { 100, 1000, 5000 } do
  for _, make in ipairs { function(i) return i end, function(i) return -i end, function() return 7 end,
                          function(i) return i % 10 end, function() return random(1000000) end } do
    local t = {}
    for i = 1, n do t[i] = make(i) end
    table.sort(t)
    for i = 2, n do assert(t[i - 1] <= t[i]) end
  end
end
local words = {}
for w in ("the quick brown fox jumps over the lazy dog"):gmatch "%a+" do words[#words + 1] = w end
table.sort(words)
print(table.concat(words, " "))
print(show(pcall(table.sort, { 1, "a", 2 })), show(pcall(table.concat, { 1, {}, 3 })), show(pcall(table.insert, { 1 }, 5, 2)))
print(show(pcall(table.insert, {}, 1)), show(pcall(table.insert, {}, 1, 2, 3)), (pcall(table.remove, { 1, 2 }, 7)))
local log = {}
local virtual = setmetatable({}, {
  __len = function() return 5 end, __index = function(_, i) log[#log + 1] = "get " .. i; return i * 10 end,
  __newindex = function(_, i, v) log[#log + 1] = "set " .. i .. " " .. tostring(v) end })
print(table.concat(virtual, ","), table.unpack(virtual))
table.insert(virtual, 2, "x"); table.remove(virtual, 3); table.move(virtual, 1, 3, 2)
print(table.concat(log, ";"))
