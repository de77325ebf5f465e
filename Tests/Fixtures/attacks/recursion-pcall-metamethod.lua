-- A table whose __call is pcall.
-- expect: ok
local t = setmetatable({}, {}); getmetatable(t).__call = pcall; t(t, t)
