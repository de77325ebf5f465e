-- json.dumps(ensure_ascii=False), which transformers' tojson filter is.
local text <const> = require "text"
local values <const> = require "values"

local ESCAPES <const> = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f" }

local function quote(v)
  local body <const> = text.gsub(v, '[\0-\31"\\]', function(c) return ESCAPES[c] or ("\\u%04x"):format(c:byte()) end)
  return text.join { '"', body, '"' }
end

-- options: indent (a string, or nil for one line), comma, colon, sorted, ascii.
local function encode(v, options, depth)
  if depth > 50 then error("tojson: a value nested too deeply", 0) end
  local k <const> = values.kind(v)
  if k == "str" then return quote(v) end
  if k == "none" then return "null" end
  if k == "bool" then return v and "true" or "false" end
  if k == "float" and (v ~= v or v == math.huge or v == -math.huge) then
    return v ~= v and "NaN" or v > 0 and "Infinity" or "-Infinity"
  end
  if k == "int" or k == "float" then return values.str(v) end
  if k ~= "list" and k ~= "tuple" and k ~= "dict" then error(("tojson: a %s has no JSON"):format(k), 0) end
  local parts = {}
  if k == "dict" then
    local keys <const> = table.move(v.keys, 1, #v.keys, 1, {})
    if options.sorted then table.sort(keys, values.less) end
    for i, key in ipairs(keys) do
      local name = key
      if values.kind(key) ~= "str" then name = values.kind(key) == "bool" and tostring(key) or values.str(key) end
      parts[i] = text.join { quote(name), options.colon, encode(values.lookup(v, key), options, depth + 1) }
    end
  else
    for i, item in ipairs(v) do parts[i] = encode(item, options, depth + 1) end
  end
  local open <const>, close <const> = k == "dict" and "{" or "[", k == "dict" and "}" or "]"
  if #parts == 0 then return open .. close end
  if not options.indent then return text.join { open, text.join(parts, options.comma), close } end
  local inner <const> = "\n" .. options.indent:rep(depth + 1)
  return text.join { open, inner, text.join(parts, options.comma .. inner), "\n", options.indent:rep(depth), close }
end

return function(v, options) return encode(v, options, 0) end
