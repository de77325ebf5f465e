-- A reader that never ends.
-- expect: error bytes of source
load(function() return "local x = 1 " end)
