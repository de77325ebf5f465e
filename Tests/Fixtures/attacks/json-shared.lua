-- A table of 2^40 elements that shares its parts.
-- expect: error cannot pass
-- needs: host
local t = { 1 }; for i = 1, 40 do t = { t, t } end; require "lacuna".json.encode(t)
