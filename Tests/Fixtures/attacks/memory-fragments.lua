-- Small blocks kept between large ones that go.
-- expect: limit call
local keep = {}
while true do
  for i = 1, 2000 do
    local big = ("x"):rep(3000 + i)
    keep[i] = big:sub(1, 20) .. i
  end
end
