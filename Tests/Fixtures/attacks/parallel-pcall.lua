-- Items that go on after every error.
-- expect: limit call
require "lacuna".parallel({ 1, 2, 3 }, function() while true do pcall(function() while true do end end) end end)
