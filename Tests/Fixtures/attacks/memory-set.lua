-- A set over two thousand million ids.
-- expect: limit memory
-- call-ms: 1000
require "lacuna.set".new(2000000000)
