-- Backtracking inside gsub, caught.
-- expect: limit call
while true do pcall(string.gsub, ("a"):rep(3000), ".-.-.-b", "") end
