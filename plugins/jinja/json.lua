-- json.dumps, which transformers' tojson filter is.
local text <const> = require "text"
local values <const> = require "values"

local ESCAPES <const> = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f" }

local function escaped(c)
  if ESCAPES[c] then return ESCAPES[c] end
  local code <const> = utf8.codepoint(c)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  return ("\\u%04x\\u%04x"):format(0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF))
end

local function quote(v, ascii)
  local body = text.gsub(v, '[\0-\31"\\]', escaped)
  if ascii then body = text.gsub(body, "[\x7F-\xFF][\x80-\xBF]*", escaped) end
  return text.join { '"', body, '"' }
end

-- options: indent (a text, or nil for one line), comma, colon, sorted, ascii.
local function encode(v, options, depth)
  if depth > 50 then error("tojson: a value nested too deeply", 0) end
  local k <const> = values.kind(v)
  if k == "str" then return quote(v, options.ascii) end
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
      local name <const> = text.is(key) and key or encode(key, options, depth + 1)
      parts[i] = text.join { quote(name, options.ascii), options.colon, encode(values.lookup(v, key), options, depth + 1) }
    end
  else
    for i, item in ipairs(v) do parts[i] = encode(item, options, depth + 1) end
  end
  local open <const>, close <const> = k == "dict" and "{" or "[", k == "dict" and "}" or "]"
  if #parts == 0 then return open .. close end
  if not options.indent then return text.join { open, text.join(parts, options.comma), close } end
  local inner <const> = text.concat("\n", text.rep(options.indent, depth + 1))
  local between <const> = text.concat(options.comma, inner)
  return text.join { open, inner, text.join(parts, between), "\n", text.rep(options.indent, depth), close }
end

return function(v, options) return encode(v, options, 0) end
