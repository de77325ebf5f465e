-- Strings that remember which of their bytes people wrote. What the template itself writes is a plain Lua string; as
-- soon as a byte of a message is in it, a string is a Text: `s` the bytes, `m` a mask as long, "\1" for a message's.
-- Everything that cuts, joins or rewrites strings goes through this file, so no byte of a message can lose its mark.
local text <const> = {}

local Text <const> = { t = "text" }
Text.__index = Text
local LONGEST <const> = 1 << 20

local function check(size)
  if size > LONGEST then error("a text of more than 1 MiB", 0) end
end

local function make(s, m)
  if not m:find("\1", 1, true) then return s end
  return setmetatable({ s = s, m = m }, Text)
end

function text.content(s) return make(s, ("\1"):rep(#s)) end
function text.is(v) return type(v) == "string" or getmetatable(v) == Text end
function text.raw(v) return type(v) == "string" and v or v.s end
local function mask(v) return type(v) == "string" and ("\0"):rep(#v) or v.m end

-- Bytes i to j, as string.sub.
function text.sub(v, i, j)
  if type(v) == "string" then return v:sub(i, j) end
  return make(v.s:sub(i, j), v.m:sub(i, j))
end

function text.join(list, separator)
  local size, plain, separator_size = 0, type(separator or "") == "string", #text.raw(separator or "")
  local s, m = {}, {}
  for i, v in ipairs(list) do
    s[i] = text.raw(v)
    plain = plain and type(v) == "string"
    size = size + #s[i] + (i > 1 and separator_size or 0)
    check(size)
  end
  local joined <const> = table.concat(s, text.raw(separator or ""))
  if plain then return joined end
  for i, v in ipairs(list) do m[i] = mask(v) end
  return make(joined, table.concat(m, mask(separator or "")))
end

-- `like`'s origin: what was made of its bytes is a message's where any of them was.
function text.marked(s, like) return type(like) == "string" and s or text.content(s) end

function text.concat(a, b) return text.join { a, b } end

function text.rep(v, n)
  n = math.max(n, 0)
  check(math.min(n, LONGEST + 1) * #text.raw(v))
  if text.raw(v) == "" then return "" end
  if type(v) == "string" then return v:rep(n) end
  return make(v.s:rep(n), v.m:rep(n))
end

-- Cuts at the byte ranges { i, j } and gives what lies between them, in order.
function text.cut(v, ranges)
  local parts, start = {}, 1
  for _, range in ipairs(ranges) do
    parts[#parts + 1] = text.sub(v, start, range[1] - 1)
    start = range[2] + 1
  end
  parts[#parts + 1] = text.sub(v, start, -1)
  return parts
end

-- Each match of a Lua pattern becomes what `replace` makes of it (nil: it stays). What is as long as the match keeps its
-- marks byte for byte, else all of it is a message's where any byte of the match was.
function text.gsub(v, pattern, replace)
  if type(v) == "string" then
    local s <const> = v:gsub(pattern, replace)
    check(#s)
    return s
  end
  local s, m, start, size = {}, {}, 1, 0
  for i, match, j in v.s:gmatch("()(" .. pattern .. ")()") do
    local new <const> = replace(match)
    if new then
      s[#s + 1], m[#m + 1] = v.s:sub(start, i - 1), v.m:sub(start, i - 1)
      local marks <const> = v.m:sub(i, j - 1)
      s[#s + 1] = new
      m[#m + 1] = #new == #marks and marks or (marks:find("\1", 1, true) and "\1" or "\0"):rep(#new)
      size = size + #new
      check(size)
      start = j
    end
  end
  s[#s + 1], m[#m + 1] = v.s:sub(start), v.m:sub(start)
  return make(table.concat(s), table.concat(m))
end

-- Python's white space: what `trim` and `strip` take away.
local SPACES <const> = { [0x85] = true, [0xA0] = true, [0x1680] = true, [0x2028] = true, [0x2029] = true, [0x202F] = true,
  [0x205F] = true, [0x3000] = true }
for c = 0x09, 0x0D do SPACES[c] = true end
for c = 0x1C, 0x20 do SPACES[c] = true end
for c = 0x2000, 0x200A do SPACES[c] = true end
function text.is_space(code) return SPACES[code] == true end

-- Without characters at either end that `drops` (of a code point); by default white space. `side` is "left", "right"
-- or nil for both.
function text.strip(v, side, drops)
  drops = drops or text.is_space
  local s <const> = text.raw(v)
  local i, j = 1, #s
  while side ~= "right" and i <= j and drops((utf8.codepoint(s, i))) do i = utf8.offset(s, 2, i) end
  while side ~= "left" and j >= i do
    local start <const> = utf8.offset(s, -1, j + 1)
    if not drops((utf8.codepoint(s, start))) then break end
    j = start - 1
  end
  return text.sub(v, i, j)
end

-- Characters, not bytes, as Python counts them.
function text.len(v) return utf8.len(text.raw(v)) end

-- Characters i to j, from 0, j left out.
function text.slice(v, i, j)
  if j <= i then return "" end
  local s <const> = text.raw(v)
  return text.sub(v, utf8.offset(s, i + 1), utf8.offset(s, j + 1) - 1)
end

function text.characters(v)
  local s <const>, list = text.raw(v), {}
  for i in utf8.codes(s) do list[#list + 1] = text.sub(v, i, utf8.offset(s, 2, i) - 1) end
  return list
end

-- Letters and digits beyond ASCII would need tables that no chat template has been seen to need.
function text.ascii(v, name)
  if text.raw(v):find("[\x80-\xFF]") then error(name .. ": only ASCII texts are known here", 0) end
  return text.raw(v)
end
function text.case(v, name, change, words)
  text.ascii(v, name)
  return text.gsub(v, words or "%a+", change)
end

-- Runs of one origin: { text = , special = true } for the template's, { text = } for messages'.
function text.segments(list)
  local segments = {}
  local function add(s, special)
    if s == "" then return end
    local last <const> = segments[#segments]
    if last and last.special == special then
      last[#last + 1] = s
    else
      segments[#segments + 1] = { s, special = special }
    end
  end
  for _, v in ipairs(list) do
    if type(v) == "string" then
      add(v, true)
    else
      local start = 1
      while start <= #v.s do
        local byte <const> = v.m:sub(start, start)
        local next <const> = v.m:find(byte == "\1" and "\0" or "\1", start, true) or #v.s + 1
        add(v.s:sub(start, next - 1), byte == "\0" or nil)
        start = next
      end
    end
  end
  for i, run in ipairs(segments) do segments[i] = { text = table.concat(run), special = run.special } end
  return segments
end

return text
