-- Cuts a template into text and the tokens of its tags, as jinja2's lexer does with trim_blocks and lstrip_blocks: the
-- newline behind a statement or comment goes, and so do the blanks in front of one that begins its line.
local numbers <const> = require "numbers"
local lexer <const> = {}

local OPERATORS <const> = { -- longest first
  "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
  ":", "|", ",", ";",
}
local CLOSING <const> = { ["("] = ")", ["["] = "]", ["{"] = "}" }
local ESCAPES <const> = { n = "\n", t = "\t", r = "\r", a = "\a", b = "\b", f = "\f", v = "\v", ["\\"] = "\\",
  ["'"] = "'", ['"'] = '"', ["\n"] = "" }
local HEX_DIGITS <const> = { x = 2, u = 4, U = 8 }

local function fail(line, message) error(("line %d: %s"):format(line, message), 0) end

local function unescape(body, line)
  local out, i = {}, 1
  while true do
    local j <const> = body:find("\\", i, true)
    out[#out + 1] = body:sub(i, (j or 0) - 1)
    if not j then return table.concat(out) end
    local c <const> = body:sub(j + 1, j + 1)
    local octal <const> = body:match("^[0-7][0-7]?[0-7]?", j + 1)
    i = j + 2
    if ESCAPES[c] then
      out[#out + 1] = ESCAPES[c]
    elseif HEX_DIGITS[c] then
      local digits <const> = body:sub(i, i + HEX_DIGITS[c] - 1)
      local code <const> = #digits == HEX_DIGITS[c] and not digits:find("%X") and tonumber(digits, 16)
      if not code or code > 0x10FFFF or (code >= 0xD800 and code < 0xE000) then
        fail(line, ("no character \\%s%s"):format(c, digits))
      end
      out[#out + 1] = utf8.char(code)
      i = i + #digits
    elseif octal then
      out[#out + 1] = utf8.char(tonumber(octal, 8))
      i = j + 1 + #octal
    else
      out[#out + 1] = "\\" .. c
    end
  end
end

-- A string literal that begins at i: its value and where it ends.
local function string_literal(source, i, line)
  local quote <const>, j = source:sub(i, i), i + 1
  while true do
    local k <const> = source:find("[\\" .. quote .. "]", j)
    if not k then fail(line, "a string that does not end") end
    if source:sub(k, k) == quote then return unescape(source:sub(i + 1, k - 1), line), k end
    j = k + 2
  end
end

local function number_literal(source, i, line)
  local word = source:match("^0[xX][%x_]+", i) or source:match("^0[oO][0-7_]+", i) or source:match("^0[bB][01_]+", i)
  if word then
    local digits <const> = word:sub(3):gsub("_", "")
    local ok <const>, value = pcall(numbers.digits, digits, ({ x = 16, o = 8, b = 2 })[word:sub(2, 2):lower()])
    if not ok or not value then fail(line, ok and "no number: " .. word or value) end
    return value, #word
  end
  word = source:match("^[%d_]+", i)
  local fraction <const> = source:match("^%.%d[%d_]*", i + #word) or ""
  local exponent <const> = source:match("^[eE][+-]?%d+", i + #word + #fraction) or ""
  local digits <const> = (word .. fraction .. exponent):gsub("_", "")
  local value <const> = tonumber(digits)
  if not value then fail(line, "no number: " .. digits) end
  -- Lua makes a float of what Python keeps whole.
  if fraction == "" and exponent == "" and math.type(value) ~= "integer" then
    fail(line, "a whole number of more than 64 bits")
  end
  return value, #word + #fraction + #exponent
end

-- The tokens of a tag from i on, up to its end (`closer`, "%}" or "}}"): where the end begins.
local function tag(source, i, closer, line, add)
  local open = {}
  while true do
    local blanks <const> = source:match("^%s*", i)
    for _ in blanks:gmatch("\n") do line = line + 1 end
    i = i + #blanks
    if #open == 0 then
      local sign <const> = source:match("^[+-]", i) or ""
      if source:sub(i + #sign, i + #sign + 1) == closer and (sign ~= "+" or closer == "%}") then return i, line end
    end
    local c <const> = source:sub(i, i)
    if c == "" then fail(line, ("a tag that does not end with %s"):format(closer)) end
    if c == "'" or c == '"' then
      local value <const>, last = string_literal(source, i, line)
      add("string", value, line)
      for _ in source:sub(i, last):gmatch("\n") do line = line + 1 end
      i = last + 1
    elseif c:find("%d") then
      local value <const>, size = number_literal(source, i, line)
      add("number", value, line)
      i = i + size
    elseif c:find("[%a_\x80-\xFF]") then
      local name <const> = source:match("^[%w_\x80-\xFF]+", i)
      add("name", name, line)
      i = i + #name
    else
      local operator
      for _, each in ipairs(OPERATORS) do
        if source:sub(i, i + #each - 1) == each then operator = each break end
      end
      if not operator then fail(line, ("unexpected character %q"):format(c)) end
      if CLOSING[operator] then
        open[#open + 1] = CLOSING[operator]
      elseif operator == ")" or operator == "]" or operator == "}" then
        if table.remove(open) ~= operator then fail(line, ("unexpected %q"):format(operator)) end
      end
      add("operator", operator, line)
      i = i + #operator
    end
  end
end

local function right_trimmed(s) return (s:gsub("[ \t\n\v\f\r]+$", "")) end

-- Tokens { kind, value, line }: "data", "begin" and "end" of statements, "print" and "end_print", and those of tags.
function lexer.run(source)
  source = source:gsub("\r\n?", "\n"):gsub("\n$", "")
  local tokens, line, i, line_start = {}, 1, 1, true
  local function add(kind, value, at) tokens[#tokens + 1] = { kind = kind, value = value, line = at or line } end
  local function count(s) for _ in s:gmatch("\n") do line = line + 1 end end

  -- The text before a tag, less what its sign or lstrip_blocks take away.
  local function data(from, to, sign, is_print)
    local s = source:sub(from, to)
    local all <const> = s
    if sign == "-" then
      s = right_trimmed(s)
    elseif sign ~= "+" and not is_print then
      local head <const>, last = s:match("^(.*\n)([^\n]*)$")
      if head and last:find("^%s+$") then
        s = head
      elseif not head and line_start and s:find("^%s+$") then
        s = ""
      end
    end
    if s ~= "" then add("data", s) end
    count(all)
  end
  -- Goes on behind a tag's end at `at`: "-" takes all blanks along, otherwise statements and comments one newline.
  local function close(at, size, sign, is_print)
    local stop = at + size
    if sign == "-" then
      stop = source:match("^%s*()", stop)
    elseif sign ~= "+" and not is_print and source:sub(stop, stop) == "\n" then
      stop = stop + 1
    end
    count(source:sub(at, stop - 1))
    line_start = source:sub(stop - 1, stop - 1) == "\n"
    i = stop
  end

  while true do
    local at <const>, mark = source:match("(){([%%{#])", i)
    if not at then
      if i <= #source then add("data", source:sub(i)) end
      add("eof")
      return tokens
    end
    local sign <const> = source:match("^[+-]", at + 2) or ""
    local inside <const> = at + 2 + #sign
    data(i, at - 1, sign, mark == "{")
    if mark == "#" then
      local stop <const>, closing = source:match("()([+-]?)#}", inside)
      if not stop then fail(line, "a comment that does not end") end
      count(source:sub(at, stop - 1))
      close(stop, #closing + 2, closing)
    elseif mark == "%" and source:find("^%s*raw%s*%-?%%}", inside) then
      local body_sign <const>, body = source:match("^%s*raw%s*(%-?)%%}()", inside)
      if body_sign == "-" then body = source:match("^%s*()", body) end
      local stop <const>, end_sign, closing, after = source:match("(){%%([+-]?)%s*endraw%s*([+-]?)%%}()", body)
      if not stop then fail(line, "raw without endraw") end
      count(source:sub(at, body - 1))
      line_start = source:sub(body - 1, body - 1) == "\n"
      data(body, stop - 1, end_sign, false)
      close(stop, after - stop, closing)
    else
      local is_print <const> = mark == "{"
      add(is_print and "print" or "begin")
      local stop
      stop, line = tag(source, inside, is_print and "}}" or "%}", line, add)
      local closing <const> = source:match("^[+-]", stop) or ""
      add(is_print and "end_print" or "end")
      close(stop, #closing + 2, closing, is_print)
    end
  end
end

return lexer
