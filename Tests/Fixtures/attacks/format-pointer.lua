-- An address by %p.
-- expect: error '%p' is not for sandboxed scripts
string.format("%p", {})
