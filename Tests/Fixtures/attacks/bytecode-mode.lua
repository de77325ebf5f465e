-- Bytecode by mode.
-- expect: error text only
load("\27Lua", "x", "b")
