-- A number of a million digits.
-- expect: ok
tonumber(("9"):rep(1 << 20)); tonumber("0x" .. ("f"):rep(1 << 20) .. "p1")
