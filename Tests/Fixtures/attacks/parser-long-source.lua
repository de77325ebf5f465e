-- More source than may be compiled.
-- expect: error bytes of source
load(("x"):rep(1 << 17))
