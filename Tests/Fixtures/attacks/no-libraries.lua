-- Names of libraries that are not there.
-- expect: ok
for _, name in ipairs { "io", "os", "package", "dofile", "loadfile", "warn" } do
  assert(not pcall(function() return _G[name] end), name)
end
for name in pairs(debug) do assert(name == "traceback", name) end
