-- An error message of a megabyte.
-- expect: error aaaa
error(("a"):rep(1 << 20), 0)
