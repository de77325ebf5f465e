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

// Length of a conversion behind its '%', its letter included. Whether the stock function takes it is for that to say.
static size_t lb_conversion_length(lua_State *L, const char *spec, const char *end) {
  enum { LB_LONGEST = 21 };
  const char *p = spec;
  while (p < end && *p != 0 && strchr("-+ #0123456789.", *p) != NULL) p++;
  if (p - spec > LB_LONGEST) luaL_error(L, "invalid format string to 'format'");
  if (p < end && *p == 'p') lb_raise(L, "denied", "'%%p' is not for sandboxed scripts");
  return (size_t)((p < end ? p + 1 : p) - spec);
}

// A width counts characters up to the first zero: what has one inside is refused, as Lua does.
static void lb_push_string_argument(lua_State *L, int argument, bool has_width) {
  size_t count;
  const char *text = lb_push_text(L, argument, &count);
  if (has_width) luaL_argcheck(L, count == strlen(text), argument, "string contains zeros");
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
    if (++argument > last) luaL_argerror(L, argument, "no value");
    size_t length = lb_conversion_length(L, format, end);
    char letter = length > 0 ? format[length - 1] : 0;
    luaL_checkstack(L, 4, NULL);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushlstring(L, percent, length + 1);
    int is_number = 1;
    bool wants_integer = letter != 0 && strchr("cdiouxX", letter), wants_number = letter != 0 && strchr("aAeEfFgG", letter);
    // 0 in the place of what is none: the conversion may be wrong as well, and that comes first.
    if (wants_integer) lua_pushinteger(L, lua_tointegerx(L, argument, &is_number));
    else if (wants_number) lua_pushnumber(L, lua_tonumberx(L, argument, &is_number));
    else if (letter == 's') lb_push_string_argument(L, argument, length > 1);
    else lua_pushvalue(L, argument);
    // Protected, so that the message gets the place of this function's caller.
    if (lua_pcall(L, 2, 1, 0) != LUA_OK) luaL_error(L, "%s", lua_tostring(L, -1));
    // Raises with the argument's number.
    if (!is_number && wants_integer) luaL_checkinteger(L, argument);
    if (!is_number && wants_number) luaL_checknumber(L, argument);
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
