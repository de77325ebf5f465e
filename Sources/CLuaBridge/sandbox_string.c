// string.rep and string.format of sandboxed states: as the stock ones, and they can be stopped. No string.dump.
#include "internal.h"

#include <string.h>

enum { LB_SLICE = 1 << 20 };  // bytes copied between two looks at the limits

static int lb_string_rep(lua_State *L) {
  size_t count, separator_count;
  const char *text = luaL_checklstring(L, 1, &count);
  lua_Integer n = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_count);
  size_t unit = count + separator_count;
  if (n <= 0 || unit == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (unit < count || (lua_Unsigned)n > (lua_Unsigned)PTRDIFF_MAX / unit)
    return luaL_error(L, "resulting string too large");
  size_t total = (size_t)n * unit - separator_count;
  if (total <= SIZE_MAX / 2) lb_make_room(L, 2 * total);  // the buffer, then the string
  luaL_Buffer buffer;
  char *out = luaL_buffinitsize(L, &buffer, total + separator_count);
  // The first unit, then the whole of what is there again and again.
  memcpy(out, text, count);
  memcpy(out + count, separator, separator_count);
  for (size_t done = unit; done < total;) {
    size_t step = done < LB_SLICE ? done : LB_SLICE - LB_SLICE % unit;
    if (step == 0) step = unit;
    if (step > total - done) step = total - done;
    memcpy(out + done, out, step);
    done += step;
    lb_poll(L);
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

// --- format ------------------------------------------------------------------------------------------------------

// Length of a conversion behind its '%', its letter included: flags, a width and a precision of two digits at most.
static size_t lb_conversion_length(lua_State *L, const char *spec, const char *end) {
  const char *p = spec;
  while (p < end && strchr("-+ #0", *p) != NULL && *p != 0 && p - spec < 5) p++;
  for (int i = 0; i < 2 && p < end && *p >= '0' && *p <= '9'; i++) p++;
  if (p < end && *p == '.') {
    p++;
    for (int i = 0; i < 2 && p < end && *p >= '0' && *p <= '9'; i++) p++;
  }
  if (p >= end || strchr("aAcdeEfFgGioqsuxX", *p) == NULL || *p == 0) {
    if (p < end && *p == 'p') lb_raise(L, "denied", "string.format: '%%p' is not for sandboxed scripts");
    lua_pushlstring(L, spec, (size_t)(p < end ? p + 1 - spec : p - spec));
    luaL_error(L, "invalid conversion '%%%s' to 'format'", lua_tostring(L, -1));
  }
  return (size_t)(p + 1 - spec);
}

// upvalue 1: the stock string.format, which is given one conversion at a time.
static int lb_string_format(lua_State *L) {
  size_t count;
  const char *format = luaL_checklstring(L, 1, &count), *end = format + count;
  int last = lua_gettop(L), argument = 1;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  while (format < end) {
    lb_poll(L);
    const char *percent = memchr(format, '%', (size_t)(end - format));
    if (percent == NULL) percent = end;
    luaL_addlstring(&buffer, format, (size_t)(percent - format));
    if (percent == end) break;
    format = percent + 1;
    if (format < end && *format == '%') {
      luaL_addchar(&buffer, '%');
      format++;
      continue;
    }
    size_t length = lb_conversion_length(L, format, end);
    if (++argument > last) luaL_argerror(L, argument, "no value");
    char letter = format[length - 1];
    luaL_checkstack(L, 4, NULL);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushlstring(L, percent, length + 1);
    // Checked here, where the argument's number is known.
    if (strchr("cdiouxX", letter)) lua_pushinteger(L, luaL_checkinteger(L, argument));
    else if (strchr("aAeEfFgG", letter)) lua_pushnumber(L, luaL_checknumber(L, argument));
    else if (letter == 's') lb_push_text(L, argument, NULL);
    else lua_pushvalue(L, argument);
    lua_call(L, 2, 1);
    luaL_addvalue(&buffer);
    format += length;
  }
  luaL_pushresult(&buffer);
  return 1;
}

void lb_open_sandbox_string(lua_State *L) {
  lua_getglobal(L, LUA_STRLIBNAME);
  lua_pushcfunction(L, lb_string_rep);
  lua_setfield(L, -2, "rep");
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, lb_string_format, 1);
  lua_setfield(L, -2, "format");
  lua_pushnil(L);
  lua_setfield(L, -2, "dump");
  lua_pop(L, 1);
}
