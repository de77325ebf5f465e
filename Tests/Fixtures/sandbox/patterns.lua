-- Random patterns on random texts, the same in every run: printed are all results of find, match, gmatch and gsub.
local state = 12345
local function random(n)
  state = (state * 1103515245 + 12345) % 2147483648
  return (state >> 8) % n + 1
end
local items = {
  "a", "b", "%a", "%d", "%s", "%w", ".", "[ab]", "[^a]", "[a-c]", "[%d_]", "[]]", "[^]]", "[a-]", "%.", "%%", "%W",
  "(a)", "(b*)", "()", "%1", "%b()", "%b<>", "%f[%w]", "%f[^%w]", "(", ")", "[", "%", "$", "^", "%2", "x-y", "%g", "%p",
}
local suffixes = { "", "", "", "*", "+", "-", "?" }
local letters = { "a", "b", "c", "1", "_", " ", "(", ")", "<", ">", ".", "%", "x", "y", "]", "\0", "é" }
local function build(list, n, more)
  local parts = {}
  for _ = 1, random(n) do parts[#parts + 1] = list[random(#list)] .. (more and more[random(#more)] or "") end
  return table.concat(parts)
end
local function show(...)
  local out = {}
  for i = 1, select("#", ...) do out[i] = tostring((select(i, ...))):gsub("^.-:%d+: ", "") end
  return table.concat(out, "|")
end
for _ = 1, 4000 do
  local pattern, text = build(items, 5, suffixes), build(letters, 14)
  local init = random(20) - 10
  print(show(pcall(string.find, text, pattern, init)))
  print(show(pcall(string.match, text, pattern, init)))
  print(show(pcall(string.gsub, text, pattern, "<%0>", random(6))))
  print(show(pcall(string.gsub, text, pattern, { a = "A", b = 1, ["1"] = false })))
  print(show(pcall(string.gsub, text, pattern, function(x) return x ~= "a" and x or nil end)))
  print(show(pcall(function()
    local all = {}
    for a, b in string.gmatch(text, pattern) do all[#all + 1] = show(a, b) end
    return #all, table.concat(all, ";")
  end)))
end
print(string.find("abc", "b", 1, true), string.find("abc", "", 10), string.find("abc", "", 4), string.find("", ""))
print(pcall(string.gsub, "abc", "b", "%"), pcall(string.gsub, "abc", "b", "%9"), string.gsub("abc", "%w", "%%%0"))
