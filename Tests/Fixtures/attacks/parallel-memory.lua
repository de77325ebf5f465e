-- Items that each keep a little, and more items.
-- expect: limit memory
-- call-ms: 5000
local items = {} for i = 1, 1e5 do items[i] = i end
require "lacuna".parallel(items, function() return ("x"):rep(1000) .. tostring({}) .. math.random() end, { max = 256 })
