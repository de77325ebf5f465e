-- A replacement function that fails.
-- expect: error mine
string.gsub("abc", ".", function() error "mine" end)
