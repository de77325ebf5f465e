-- An iterator of C functions only.
-- expect: limit call
for _ in pcall, error do end
