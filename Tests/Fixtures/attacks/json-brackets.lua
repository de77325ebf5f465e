-- A megabyte of opening brackets as JSON.
-- expect: ok
-- needs: host
local ok = require "lacuna".json.decode(("["):rep(500000)); assert(not ok)
