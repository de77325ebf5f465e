-- A yield out of an order function.
-- expect: error attempt to yield
table.sort({ 3, 2, 1 }, function() return coroutine.yield() end)
