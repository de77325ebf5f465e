-- Bytecode in a string.
-- expect: error bytecode
assert(load("\27Lua"))
