-- string.format and string.rep with everything that they take, and what they refuse.
local values = { 0, -1, 255, 1 << 62, 3.0, 0.1, -1e300, 1 / 0, 0 / 0, "text", "12", "0x10", "a\nb\0c", true }
local specs = {
  "%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%.3d", "%i", "%u", "%c", "%x", "%#x", "%X", "%o", "%e", "%.3e", "%E", "%f",
  "%10.2f", "%.0f", "%g", "%G", "%a", "%A", "%s", "%10s", "%-10s|", "%.3s", "%q", "%%", "%", "plain", "%d and %s", 
}
local function show(ok, text) return tostring(ok) .. " " .. tostring(text):gsub("^.-:%d+: ", "") end
for _, spec in ipairs(specs) do
  for _, value in ipairs(values) do
    if not (value ~= value) then print(spec, show(pcall(string.format, spec, value, "second"))) end
  end
  print(spec, show(pcall(string.format, spec)))
end
-- Both wrong, which is said first is not promised: here the argument is right.
for _, spec in ipairs { "%y", "%123d", "%1.123f", "%-+ #0d", "%5%", "%10q", "%+s", ("%0"):rep(30) .. "d" } do
  print(spec, show(pcall(string.format, spec, 1)))
end
for n = -1, 5 do print(n, ("ab"):rep(n), ("ab"):rep(n, "-"), (""):rep(n, "."), ("é"):rep(n, "")) end
print(#("abc"):rep(700000, "--"), ("abc"):rep(500000):sub(-7), ("x"):rep(3000001):find("[^x]"))
