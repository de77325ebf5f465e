// Errors as tables { code, message, detail, where, traceback }, and what the host learns of a failed call.
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char lb_error_key = 0;      // registry: the metatable of error tables
static const char lb_rethrow_key = 0;    // registry: { value, traceback } of what a host call passed on

static void lb_push_raw_string(lua_State *L, int table, const char *name) {
  lua_pushstring(L, name);
  lua_rawget(L, table);
}

static int lb_error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lb_push_raw_string(L, 1, "where");
  lb_push_raw_string(L, 1, "message");
  const char *message = lua_tostring(L, -1);
  const char *where = lua_tostring(L, -2);
  if (where) lua_pushfstring(L, "%s: %s", where, message ? message : "?");
  else lua_pushstring(L, message ? message : "?");
  return 1;
}

bool lb_is_error(lua_State *L, int index) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_error_key);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

// "script.lua:12" of the innermost Lua function of `from` from `level` outwards; pushes a string or nil.
static void lb_push_where(lua_State *L, lua_State *from, int level) {
  lua_Debug ar;
  for (; lua_getstack(from, level, &ar); level++) {
    lua_getinfo(from, "Sl", &ar);
    if (ar.currentline > 0) {
      lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
      return;
    }
  }
  lua_pushnil(L);
}

// Expects the message on the top of the stack and replaces it by the table, raised in `from` at `level`.
static void lb_wrap_message(lua_State *L, lua_State *from, int level, const char *code) {
  lua_createtable(L, 0, 4);
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  lua_pushstring(L, code);
  lua_setfield(L, -2, "code");
  lb_push_where(L, from, level);
  lua_setfield(L, -2, "where");
  luaL_traceback(L, from, NULL, level);
  lua_setfield(L, -2, "traceback");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_error_key);
  lua_setmetatable(L, -2);
}

void lb_push_error(lua_State *L, lua_State *from, int level, const char *code, const char *message) {
  lua_pushstring(L, message);
  lb_wrap_message(L, from, level, code);
}

void lb_raise(lua_State *L, const char *code, const char *format, ...) {
  // lua_pushvfstring knows %s, %d, %f, %I, %p, %c, %U, %% only, which is all that the bridge uses.
  va_list arguments;
  va_start(arguments, format);
  luaL_checkstack(L, 16, NULL);
  lua_pushvfstring(L, format, arguments);
  va_end(arguments);
  lb_wrap_message(L, L, 1, code);
  lua_error(L);
  abort();
}

void lb_raise_argument(lua_State *L, int argument, const char *name, const char *message) {
  lua_Debug ar;
  bool method = false;
  if (lua_getstack(L, 0, &ar)) {
    lua_getinfo(L, "n", &ar);
    method = ar.namewhat != NULL && strcmp(ar.namewhat, "method") == 0;
    if (name == NULL) name = ar.name ? ar.name : "?";
  }
  if (name == NULL) name = "?";
  if (method && argument == 1) lb_raise(L, "bad_argument", "calling '%s' on bad self (%s)", name, message);
  lb_raise(L, "bad_argument", "bad argument #%d to '%s' (%s)", method ? argument - 1 : argument, name, message);
}

const char *lb_type_name(lua_State *L, int index) {
  index = lua_absindex(L, index);
  uint32_t type = lb_type_at(L, index);
  if (type != LB_TYPE_NONE && lua_getmetatable(L, index)) {
    lb_push_raw_string(L, lua_gettop(L), "__name");
    const char *name = lua_tostring(L, -1);
    lua_pop(L, 2);  // the metatable keeps the string
    if (name) return name;
  }
  if (lb_is_error(L, index)) return "error";
  return lua_type(L, index) == LUA_TNONE ? "no value" : luaL_typename(L, index);
}

void lb_raise_type(lua_State *L, int argument, const char *name, const char *expected) {
  const char *found = lb_type_name(L, argument);
  const char *message = lua_pushfstring(L, "%s expected, got %s", expected, found);
  lb_raise_argument(L, argument, name, message);
}

// lacuna.error(code, message [, detail]): a value to return as `nil, err` or to raise.
static int lb_error_make(lua_State *L) {
  if (lua_type(L, 1) != LUA_TSTRING) lb_raise_type(L, 1, "error", "string");
  if (!lua_isnoneornil(L, 2) && lua_type(L, 2) != LUA_TSTRING) lb_raise_type(L, 2, "error", "string");
  lua_settop(L, 3);
  if (lua_isnil(L, 2)) lua_pushvalue(L, 1);
  else lua_pushvalue(L, 2);
  lb_wrap_message(L, L, 1, lua_tostring(L, 1));
  if (!lua_isnil(L, 3)) {
    lua_pushvalue(L, 3);
    lua_setfield(L, -2, "detail");
  }
  return 1;
}

void lb_open_errors(lua_State *L) {
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, lb_error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "lacuna.error");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_error_key);
  lua_createtable(L, 2, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_rethrow_key);
  lb_push_module(L, "lacuna");
  lua_pushcfunction(L, lb_error_make);
  lua_setfield(L, -2, "error");
  lua_pop(L, 1);
}

// --- failures ----------------------------------------------------------------------------------------------------

// Makes { value, message, where, code, traceback } of the error value at index 1, which is all that is on the stack. It was
// raised in `from`, at `level`.
static void lb_describe_failure(lua_State *L, lua_State *from, int level) {
  luaL_checkstack(L, 12, NULL);
  lua_createtable(L, 5, 0);  // 2
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, 1);
  if (lb_is_error(L, 1)) {
    static const char *const fields[] = {"message", "where", "code", "traceback"};
    for (int i = 0; i < 4; i++) {
      lb_push_raw_string(L, 1, fields[i]);
      if (lua_type(L, -1) == LUA_TSTRING) lua_rawseti(L, 2, i + 2);
      else lua_pop(L, 1);
    }
  } else if (lua_type(L, 1) == LUA_TSTRING || lua_type(L, 1) == LUA_TNUMBER) {
    lua_pushvalue(L, 1);
    lua_tostring(L, -1);
    lua_rawseti(L, 2, 2);
  } else if (!lb_is_sandboxed(lb_of(L)) && luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) {
    lua_rawseti(L, 2, 2);
  } else {
    // A script's own table of an error: its message, if it has one.
    if (lua_istable(L, 1)) lb_push_raw_string(L, 1, "message");
    if (lua_type(L, -1) != LUA_TSTRING) lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    lua_rawseti(L, 2, 2);
  }
  // What came through a host call already knows the frames inside it.
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_rethrow_key);
  lua_rawgeti(L, -1, 1);
  if (!lua_isnil(L, -1) && lua_rawequal(L, -1, 1)) {
    lua_rawgeti(L, -2, 2);
    lua_rawseti(L, 2, 5);
  } else if (lua_rawgeti(L, 2, 5) == LUA_TNIL) {
    luaL_traceback(L, from, NULL, level);
    lua_rawseti(L, 2, 5);
  }
  lua_settop(L, 2);
  if (lua_rawgeti(L, 2, 3) == LUA_TNIL && lua_type(L, 1) != LUA_TSTRING) {
    lb_push_where(L, from, level);
    lua_rawseti(L, 2, 3);
  }
  lua_settop(L, 2);
}

// Runs where the error was raised.
int lb_message_handler(lua_State *L) {
  lua_settop(L, 1);
  lb_describe_failure(L, L, 1);
  return 1;
}

// (error, coroutine) -> record
static int lb_describe_body(lua_State *L) {
  lua_State *co = lua_tothread(L, 2);
  lua_settop(L, 1);
  lb_describe_failure(L, co, 0);
  return 1;
}

void lb_push_failure(lua_State *L, int error, int thread) {
  lua_pushcfunction(L, lb_describe_body);
  lua_pushvalue(L, error);
  lua_pushvalue(L, thread);
  lua_call(L, 2, 1);
}

enum { LB_MAX_FAILURE_TEXT = 4096 };

// Of a script that is not trusted: bounded, and control bytes but line breaks and tabs are escaped.
static char *lb_copy_escaped(const char *text, size_t count) {
  char *copy = malloc(LB_MAX_FAILURE_TEXT + 8), *out = copy;
  if (copy == NULL) return NULL;
  for (size_t i = 0; i < count && out < copy + LB_MAX_FAILURE_TEXT; i++) {
    unsigned char c = (unsigned char)text[i];
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) {
      static const char digits[] = "0123456789ABCDEF";
      *out++ = '\\';
      *out++ = 'x';
      *out++ = digits[c >> 4];
      *out++ = digits[c & 15];
    } else {
      *out++ = (char)c;
    }
  }
  *out = 0;
  return copy;
}

static char *lb_copy_text(lua_State *L, int record, int field) {
  char *copy = NULL;
  if (lua_rawgeti(L, record, field) == LUA_TSTRING) {
    size_t count;
    const char *text = lua_tolstring(L, -1, &count);
    if (lb_is_sandboxed(lb_of(L))) {
      copy = lb_copy_escaped(text, count);
    } else if ((copy = malloc(count + 1)) != NULL) {
      memcpy(copy, text, count);
      copy[count] = 0;
    }
  }
  lua_pop(L, 1);
  return copy;
}

int lb_record_failure(lua_State *L) {
  lb_state *state = lb_of(L);
  if (!lua_istable(L, 1)) {
    // The message handler itself failed: what arrives is its own error, as a string.
    lua_createtable(L, 5, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 2);
    lua_replace(L, 1);
  }
  if (state->failure >= 0) luaL_unref(L, LUA_REGISTRYINDEX, state->failure);
  state->failure = LB_NO_REF;
  lua_rawgeti(L, 1, 1);
  // error(nil) has no reference; it comes back as nil.
  state->failure = luaL_ref(L, LUA_REGISTRYINDEX);
  for (int i = 0; i < 4; i++) {
    free(state->failure_text[i]);
    state->failure_text[i] = lb_copy_text(L, 1, i + 2);
  }
  // In case it is rethrown: the value and how it came about.
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_rethrow_key);
  lua_rawgeti(L, 1, 1);
  lua_rawseti(L, -2, 1);
  lua_rawgeti(L, 1, 5);
  lua_rawseti(L, -2, 2);
  return 0;
}

lb_failure lb_last_failure(lb_state *state) {
  lb_failure failure = {
    state->failure, state->failure_text[2], state->failure_text[0], state->failure_text[1],
    state->failure_text[3]};
  state->failure = LB_NO_REF;
  return failure;
}
