-- Coroutines resumed inside one another.
-- expect: ok
local function f() local ok, err = coroutine.resume(coroutine.create(f)); return err end f()
