-- load into another environment.
-- expect: error own environment
load("return 1", "x", "t", {})
