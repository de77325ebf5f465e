// string.find, match, gmatch and gsub of sandboxed states: Lua's patterns, with a look at the limits every few thousand
// steps. Matching backtracks, so a pattern of ten characters can take years.
#include "internal.h"

#include <ctype.h>
#include <string.h>

typedef unsigned char lb_byte;

enum {
  LB_MAX_CAPTURES = 32,
  LB_MAX_NESTING = 200,  // matches inside one another, each a frame of the native stack
  LB_OPEN = -1,          // lengths of captures: not closed yet
  LB_POSITION = -2,      // "()"
  LB_LOOK_STEPS = 4096,
};

typedef struct {
  lua_State *L;
  const lb_byte *text, *end;  // the subject
  const lb_byte *pattern_end;
  unsigned steps;
  int nesting, count;
  struct {
    const lb_byte *start;
    ptrdiff_t length;
  } captures[LB_MAX_CAPTURES];
} lb_match;

static void lb_step_match(lb_match *m) {
  if (++m->steps % LB_LOOK_STEPS == 0) lb_poll(m->L);
}

// --- single characters -------------------------------------------------------------------------------------------

// %a and its like; an upper-case letter is the complement; anything else is itself.
static bool lb_in_class(lb_byte c, lb_byte class) {
  bool in;
  switch (tolower(class)) {
  case 'a': in = isalpha(c); break;
  case 'c': in = iscntrl(c); break;
  case 'd': in = isdigit(c); break;
  case 'g': in = isgraph(c); break;
  case 'l': in = islower(c); break;
  case 'p': in = ispunct(c); break;
  case 's': in = isspace(c); break;
  case 'u': in = isupper(c); break;
  case 'w': in = isalnum(c); break;
  case 'x': in = isxdigit(c); break;
  default: return c == class;
  }
  return in != (isupper(class) != 0);
}

// The end of the single-character item that begins at p.
static const lb_byte *lb_item_end(lb_match *m, const lb_byte *p) {
  lb_byte first = *p++;
  if (first == '%') {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (ends with '%%')");
    return p + 1;
  }
  if (first != '[') return p;
  if (p < m->pattern_end && *p == '^') p++;
  // A bracket that comes first is a member.
  do {
    if (p == m->pattern_end) luaL_error(m->L, "malformed pattern (missing ']')");
    if (*p++ == '%' && p < m->pattern_end) p++;
  } while (p == m->pattern_end || *p != ']');
  return p + 1;
}

// set...close is "[...]", close at the bracket.
static bool lb_in_set(lb_byte c, const lb_byte *set, const lb_byte *close) {
  bool wanted = true;
  if (set[1] == '^') {
    wanted = false;
    set++;
  }
  while (++set < close) {
    if (*set == '%') {
      set++;
      if (lb_in_class(c, *set)) return wanted;
    } else if (set + 2 < close && set[1] == '-') {
      if (set[0] <= c && c <= set[2]) return wanted;
      set += 2;
    } else if (*set == c) {
      return wanted;
    }
  }
  return !wanted;
}

// Whether the character at s is of the item p...item_end.
static bool lb_is_item(lb_match *m, const lb_byte *s, const lb_byte *p, const lb_byte *item_end) {
  if (s >= m->end) return false;
  switch (*p) {
  case '.': return true;
  case '%': return lb_in_class(*s, p[1]);
  case '[': return lb_in_set(*s, p, item_end - 1);
  default: return *p == *s;
  }
}

// --- matching ----------------------------------------------------------------------------------------------------

// The end of the match of p at s, or NULL.
static const lb_byte *lb_run(lb_match *m, const lb_byte *s, const lb_byte *p);

// As many as possible, then fewer.
static const lb_byte *lb_run_greedy(
  lb_match *m, const lb_byte *s, const lb_byte *p, const lb_byte *item_end, ptrdiff_t least) {
  ptrdiff_t n = 0;
  while (lb_is_item(m, s + n, p, item_end)) {
    n++;
    lb_step_match(m);
  }
  for (; n >= least; n--) {
    lb_step_match(m);
    const lb_byte *end = lb_run(m, s + n, item_end + 1);
    if (end) return end;
  }
  return NULL;
}

static const lb_byte *lb_run_lazy(lb_match *m, const lb_byte *s, const lb_byte *p, const lb_byte *item_end) {
  for (;; s++) {
    lb_step_match(m);
    const lb_byte *end = lb_run(m, s, item_end + 1);
    if (end) return end;
    if (!lb_is_item(m, s, p, item_end)) return NULL;
  }
}

static const lb_byte *lb_run_open(lb_match *m, const lb_byte *s, const lb_byte *p, ptrdiff_t length) {
  if (m->count == LB_MAX_CAPTURES) luaL_error(m->L, "too many captures");
  m->captures[m->count].start = s;
  m->captures[m->count].length = length;
  m->count++;
  const lb_byte *end = lb_run(m, s, p);
  if (end == NULL) m->count--;
  return end;
}

static const lb_byte *lb_run_close(lb_match *m, const lb_byte *s, const lb_byte *p) {
  int open = m->count;
  do {
    if (--open < 0) luaL_error(m->L, "invalid pattern capture");
  } while (m->captures[open].length != LB_OPEN);
  m->captures[open].length = s - m->captures[open].start;
  const lb_byte *end = lb_run(m, s, p);
  if (end == NULL) m->captures[open].length = LB_OPEN;
  return end;
}

// %bxy: from an x to the y that balances it.
static const lb_byte *lb_balanced(lb_match *m, const lb_byte *s, const lb_byte *pair) {
  if (m->pattern_end - pair < 2) luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
  if (s >= m->end || *s != pair[0]) return NULL;
  size_t depth = 1;
  for (s++; s < m->end; s++) {
    lb_step_match(m);
    if (*s == pair[1]) {
      if (--depth == 0) return s + 1;
    } else if (*s == pair[0]) {
      depth++;
    }
  }
  return NULL;
}

static const lb_byte *lb_again(lb_match *m, const lb_byte *s, lb_byte digit) {
  int index = digit - '1';
  if (index < 0 || index >= m->count || m->captures[index].length == LB_OPEN)
    luaL_error(m->L, "invalid capture index %%%d", index + 1);
  ptrdiff_t length = m->captures[index].length;
  // A position is no text that could come again.
  if (length == LB_POSITION || m->end - s < length || memcmp(m->captures[index].start, s, (size_t)length) != 0) return NULL;
  return s + length;
}

// %f[set]: between a character outside the set and one inside; both ends of the text count as '\0'.
static bool lb_at_frontier(lb_match *m, const lb_byte *s, const lb_byte *set, const lb_byte *set_end) {
  lb_byte before = s == m->text ? 0 : s[-1], after = s < m->end ? *s : 0;
  return !lb_in_set(before, set, set_end - 1) && lb_in_set(after, set, set_end - 1);
}

static const lb_byte *lb_run_items(lb_match *m, const lb_byte *s, const lb_byte *p) {
  while (p < m->pattern_end) {
    lb_step_match(m);
    if (*p == '(') {
      bool position = p + 1 < m->pattern_end && p[1] == ')';
      return position ? lb_run_open(m, s, p + 2, LB_POSITION) : lb_run_open(m, s, p + 1, LB_OPEN);
    }
    if (*p == ')') return lb_run_close(m, s, p + 1);
    if (*p == '$' && p + 1 == m->pattern_end) return s == m->end ? s : NULL;
    if (*p == '%' && p + 1 < m->pattern_end) {
      if (p[1] == 'b') {
        s = lb_balanced(m, s, p + 2);
        if (s == NULL) return NULL;
        p += 4;
        continue;
      }
      if (p[1] == 'f') {
        p += 2;
        if (p == m->pattern_end || *p != '[') luaL_error(m->L, "missing '[' after '%%f' in pattern");
        const lb_byte *set_end = lb_item_end(m, p);
        if (!lb_at_frontier(m, s, p, set_end)) return NULL;
        p = set_end;
        continue;
      }
      if (isdigit(p[1])) {
        s = lb_again(m, s, p[1]);
        if (s == NULL) return NULL;
        p += 2;
        continue;
      }
    }
    const lb_byte *item_end = lb_item_end(m, p);
    lb_byte suffix = item_end < m->pattern_end ? *item_end : 0;
    if (suffix == '*') return lb_run_greedy(m, s, p, item_end, 0);
    if (suffix == '+') return lb_run_greedy(m, s, p, item_end, 1);
    if (suffix == '-') return lb_run_lazy(m, s, p, item_end);
    bool is_item = lb_is_item(m, s, p, item_end);
    if (suffix == '?') {
      if (is_item) {
        const lb_byte *end = lb_run(m, s + 1, item_end + 1);
        if (end) return end;
      }
      p = item_end + 1;
      continue;
    }
    if (!is_item) return NULL;
    s++;
    p = item_end;
  }
  return s;
}

static const lb_byte *lb_run(lb_match *m, const lb_byte *s, const lb_byte *p) {
  if (m->nesting == LB_MAX_NESTING) luaL_error(m->L, "pattern too complex");
  m->nesting++;
  const lb_byte *end = lb_run_items(m, s, p);
  m->nesting--;
  return end;
}

static const lb_byte *lb_match_at(lb_match *m, const lb_byte *s, const lb_byte *p) {
  m->count = 0;
  m->nesting = 0;
  lb_step_match(m);
  return lb_run(m, s, p);
}

// --- captures ----------------------------------------------------------------------------------------------------

// Capture number `index` from 0 of a match s...e; without captures the whole match is the first.
static void lb_push_capture(lb_match *m, int index, const lb_byte *s, const lb_byte *e) {
  lua_State *L = m->L;
  if (index >= m->count) {
    if (index != 0) luaL_error(L, "invalid capture index %%%d", index + 1);
    lua_pushlstring(L, (const char *)s, (size_t)(e - s));
    return;
  }
  ptrdiff_t length = m->captures[index].length;
  if (length == LB_OPEN) luaL_error(L, "unfinished capture");
  if (length == LB_POSITION) lua_pushinteger(L, m->captures[index].start - m->text + 1);
  else lua_pushlstring(L, (const char *)m->captures[index].start, (size_t)length);
}

static int lb_push_captures(lb_match *m, const lb_byte *s, const lb_byte *e) {
  int count = m->count == 0 && s != NULL ? 1 : m->count;
  luaL_checkstack(m->L, count, "too many captures");
  for (int i = 0; i < count; i++) lb_push_capture(m, i, s, e);
  return count;
}

static void lb_prepare(
  lb_match *m, lua_State *L, const char *text, size_t count, const char *pattern, size_t pattern_count) {
  m->L = L;
  m->text = (const lb_byte *)text;
  m->end = m->text + count;
  m->pattern_end = (const lb_byte *)pattern + pattern_count;
  m->steps = 0;
}

// --- find and match ----------------------------------------------------------------------------------------------

static const char *lb_find_plain(
  lua_State *L, const char *text, size_t count, const char *wanted, size_t wanted_count) {
  if (wanted_count == 0) return text;
  const char *end = text + count;
  while ((size_t)(end - text) >= wanted_count) {
    lb_poll(L);
    const char *first = memchr(text, wanted[0], (size_t)(end - text) - wanted_count + 1);
    if (first == NULL) return NULL;
    if (memcmp(first, wanted, wanted_count) == 0) return first;
    text = first + 1;
  }
  return NULL;
}

// Where the search begins, from 0: `count` + 1 or more is beyond the text.
static size_t lb_start(lua_Integer position, size_t count) {
  if (position > 0) return (size_t)position - 1;
  if (position == 0) return 0;
  return position < -(lua_Integer)count ? 0 : count - (size_t)-position;
}

static int lb_search(lua_State *L, bool is_find) {
  size_t count, pattern_count;
  const char *text = luaL_checklstring(L, 1, &count), *pattern = luaL_checklstring(L, 2, &pattern_count);
  size_t start = lb_start(luaL_optinteger(L, 3, 1), count);
  if (start > count) {
    luaL_pushfail(L);
    return 1;
  }
  if (is_find && (lua_toboolean(L, 4) || strcspn(pattern, "^$*+?.([%-") == pattern_count)) {
    const char *found = lb_find_plain(L, text + start, count - start, pattern, pattern_count);
    if (found == NULL) {
      luaL_pushfail(L);
      return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (lua_Integer)pattern_count);
    return 2;
  }
  lb_match m;
  lb_prepare(&m, L, text, count, pattern, pattern_count);
  const lb_byte *p = (const lb_byte *)pattern, *s = m.text + start;
  bool anchored = pattern_count > 0 && *p == '^';
  if (anchored) p++;
  do {
    const lb_byte *e = lb_match_at(&m, s, p);
    if (e == NULL) continue;
    if (!is_find) return lb_push_captures(&m, s, e);
    lua_pushinteger(L, s - m.text + 1);
    lua_pushinteger(L, e - m.text);
    return lb_push_captures(&m, NULL, NULL) + 2;
  } while (s++ < m.end && !anchored);
  luaL_pushfail(L);
  return 1;
}

static int lb_string_find(lua_State *L) { return lb_search(L, true); }
static int lb_string_match(lua_State *L) { return lb_search(L, false); }

// upvalues: text, pattern, where to go on, where the last match ended (-1 for none).
static int lb_gmatch_next(lua_State *L) {
  size_t count, pattern_count;
  const char *text = lua_tolstring(L, lua_upvalueindex(1), &count);
  const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &pattern_count);
  lua_Integer start = lua_tointeger(L, lua_upvalueindex(3)), last = lua_tointeger(L, lua_upvalueindex(4));
  if (start < 0 || (size_t)start > count) return 0;
  lb_match m;
  lb_prepare(&m, L, text, count, pattern, pattern_count);
  for (const lb_byte *s = m.text + start; s <= m.end; s++) {
    const lb_byte *e = lb_match_at(&m, s, (const lb_byte *)pattern);
    // An empty match where the last one ended is no new one.
    if (e == NULL || e - m.text == last) continue;
    lua_pushinteger(L, e - m.text);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return lb_push_captures(&m, s, e);
  }
  lua_pushinteger(L, -1);
  lua_replace(L, lua_upvalueindex(3));
  return 0;
}

static int lb_string_gmatch(lua_State *L) {
  size_t count;
  luaL_checklstring(L, 1, &count);
  luaL_checkstring(L, 2);
  size_t start = lb_start(luaL_optinteger(L, 3, 1), count);
  lua_settop(L, 2);
  lua_pushinteger(L, start > count ? -1 : (lua_Integer)start);
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, lb_gmatch_next, 4);
  return 1;
}

// --- gsub --------------------------------------------------------------------------------------------------------

// A replacement string: %0 to %9 are captures, %% is a percent sign.
static void lb_add_template(lb_match *m, luaL_Buffer *buffer, const lb_byte *s, const lb_byte *e) {
  size_t count;
  const char *text = lua_tolstring(m->L, 3, &count), *end = text + count;
  while (text < end) {
    const char *percent = memchr(text, '%', (size_t)(end - text));
    if (percent == NULL) percent = end;
    luaL_addlstring(buffer, text, (size_t)(percent - text));
    if (percent == end) return;
    lb_byte mark = percent + 1 < end ? (lb_byte)percent[1] : 0;
    if (mark == '%') {
      luaL_addchar(buffer, '%');
    } else if (mark == '0') {
      luaL_addlstring(buffer, (const char *)s, (size_t)(e - s));
    } else if (isdigit(mark)) {
      lb_push_capture(m, mark - '1', s, e);
      luaL_tolstring(m->L, -1, NULL);
      lua_remove(m->L, -2);
      luaL_addvalue(buffer);
    } else {
      luaL_error(m->L, "invalid use of '%%' in replacement string");
    }
    text = percent + 2;
  }
}

// What takes the match's place. Returns whether that is another text.
static bool lb_add_replacement(lb_match *m, luaL_Buffer *buffer, const lb_byte *s, const lb_byte *e, int type) {
  lua_State *L = m->L;
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, lb_push_captures(m, s, e), 1);
  } else if (type == LUA_TTABLE) {
    lb_push_capture(m, 0, s, e);
    lua_gettable(L, 3);
  } else {
    lb_add_template(m, buffer, s, e);
    return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(buffer, (const char *)s, (size_t)(e - s));
    return false;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(buffer);
  return true;
}

static int lb_string_gsub(lua_State *L) {
  size_t count, pattern_count;
  const char *text = luaL_checklstring(L, 1, &count), *pattern = luaL_checklstring(L, 2, &pattern_count);
  int type = lua_type(L, 3);
  if (type == LUA_TNUMBER) {
    lua_tostring(L, 3);
    type = LUA_TSTRING;
  }
  if (type != LUA_TSTRING && type != LUA_TTABLE && type != LUA_TFUNCTION)
    lb_raise_type(L, 3, "gsub", "string/function/table");
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)count + 1), made = 0;
  lua_settop(L, 3);
  lb_match m;
  lb_prepare(&m, L, text, count, pattern, pattern_count);
  const lb_byte *p = (const lb_byte *)pattern, *s = m.text, *last = NULL;
  bool anchored = pattern_count > 0 && *p == '^', changed = false;
  if (anchored) p++;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  while (made < most) {
    lb_poll(L);
    const lb_byte *e = lb_match_at(&m, s, p);
    if (e != NULL && e != last) {
      made++;
      changed |= lb_add_replacement(&m, &buffer, s, e, type);
      s = last = e;
    } else if (s < m.end) {
      luaL_addchar(&buffer, (char)*s++);
    } else {
      break;
    }
    if (anchored) break;
  }
  if (changed) {
    luaL_addlstring(&buffer, (const char *)s, (size_t)(m.end - s));
    luaL_pushresult(&buffer);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, made);
  return 2;
}

void lb_open_patterns(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"find", lb_string_find}, {"match", lb_string_match}, {"gmatch", lb_string_gmatch}, {"gsub", lb_string_gsub},
    {NULL, NULL}};
  lua_getglobal(L, LUA_STRLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
