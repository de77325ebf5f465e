-- A vector of two thousand million elements.
-- expect: error a vector has at most
require "lacuna.vec".new(2000000000)
