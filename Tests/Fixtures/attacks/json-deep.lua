-- A table nested a hundred deep as JSON.
-- expect: error nested deeper
-- needs: host
local t = {}; for i = 1, 100 do t = { t } end; require "lacuna".json.encode(t)
