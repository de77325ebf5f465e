-- Items of lacuna.parallel that never return.
-- expect: limit call
require "lacuna".parallel({ 1, 2, 3 }, function() while true do end end)
