-- A replacement function that does not return.
-- expect: limit call
string.gsub("abc", ".", function() while true do end end)
