-- A conversion wider than two digits.
-- expect: error invalid conversion
string.format("%99999d", 1)
