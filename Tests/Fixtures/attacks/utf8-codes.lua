-- Ill-formed UTF-8 in every function that reads it.
-- expect: ok
for _, s in ipairs { "\xff", "\xf8\x80\x80\x80", "\xe4\xb8", "\x80", ("\xf0"):rep(1000) } do
  pcall(utf8.len, s); pcall(utf8.codepoint, s, 1, -1); pcall(utf8.offset, s, 1)
  pcall(function() for _ in utf8.codes(s) do end end)
end
