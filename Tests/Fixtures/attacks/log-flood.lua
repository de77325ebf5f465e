-- A log without end.
-- expect: limit call
-- needs: host
local log = require "lacuna".log; while true do log.info(("x"):rep(1000)) end
