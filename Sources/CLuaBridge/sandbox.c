// The environment of a sandboxed state: which libraries it has, and that nobody can change them.
//
// A frozen table is an empty one in front of the real one. Reading costs one more step, writing is refused, and what the
// host registers later goes into the real one.
#include "internal.h"

#include <string.h>

static const char lb_globals_key = 0;  // registry: the real table of globals, once it is frozen
static const char lb_frozen_key = 0;   // registry: frozen table -> real one

void lb_push_globals(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_globals_key) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_pushglobaltable(L);
}

void lb_open_sandbox(lua_State *L) {
  static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base}, {LUA_STRLIBNAME, luaopen_string}, {LUA_TABLIBNAME, luaopen_table},
    {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_COLIBNAME, luaopen_coroutine},
    {NULL, NULL}};
  for (const luaL_Reg *library = libraries; library->func; library++) {
    luaL_requiref(L, library->name, library->func, 1);
    lua_pop(L, 1);
  }
  lb_open_sandbox_base(L);
  lb_open_sandbox_string(L);
  lb_open_patterns(L);
  lb_open_sandbox_table(L);
  if (lb_of(L)->limits.clock) lb_open_sandbox_clock(L);
}

// --- frozen tables -----------------------------------------------------------------------------------------------

bool lb_push_frozen(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (!lua_istable(L, index)) return false;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_frozen_key) == LUA_TTABLE) {
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) != LUA_TNIL) {
      lua_remove(L, -2);
      return true;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

void lb_refuse_write(lua_State *L, int table, int key) {
  const char *name = lua_type(L, key) == LUA_TSTRING ? lua_tostring(L, key) : luaL_typename(L, key);
  lb_push_globals(L);
  bool is_global = lb_push_frozen(L, table) && lua_rawequal(L, -1, -2);
  if (is_global) lb_raise(L, "frozen", "cannot assign to the global '%s': globals are frozen, use a local", name);
  lb_raise(L, "frozen", "cannot assign to '%s': libraries are frozen", name);
}

static int lb_frozen_newindex(lua_State *L) {
  lb_refuse_write(L, 1, 2);
  return 0;
}

// upvalues: the real table, the last key. The real table itself is not for scripts.
static int lb_frozen_next(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(2));
  if (!lua_next(L, lua_upvalueindex(1))) return 0;
  lua_pushvalue(L, -2);
  lua_replace(L, lua_upvalueindex(2));
  return 2;
}

static int lb_frozen_pairs(lua_State *L) {
  if (!lb_push_frozen(L, 1)) lb_raise_type(L, 1, "pairs", "table");
  lua_pushnil(L);
  lua_pushcclosure(L, lb_frozen_next, 2);
  return 1;
}

static int lb_unknown_global(lua_State *L) {
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
  static const char *const absent[] = {"io", "os", "package", "dofile", "loadfile", "warn"};
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
    if (strcmp(name, absent[i]) == 0)
      lb_raise(L, "denied", "'%s' does not exist in the sandbox%s", name,
               strcmp(name, "os") == 0 ? "; os.time, os.clock and os.date need the capability \"clock\"" : "");
  }
  const char *nearest = lb_nearest_key(L, 1, name);
  if (nearest) lb_raise(L, "unknown_global", "unknown global '%s' (did you mean '%s'?)", name, nearest);
  lb_raise(L, "unknown_global", "unknown global '%s'", name);
}

// Replaces the table on the top by its frozen one. done: index of a table real -> frozen.
static void lb_freeze_top(lua_State *L, int done) {
  luaL_checkstack(L, 8, "libraries nested too deeply");
  int real = lua_gettop(L);
  lua_pushvalue(L, real);
  if (lua_rawget(L, done) != LUA_TNIL) {
    lua_replace(L, real);
    return;
  }
  lua_pop(L, 1);
  lua_newtable(L);  // real + 1: the frozen one
  lua_pushvalue(L, real);
  lua_pushvalue(L, -2);
  lua_rawset(L, done);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_frozen_key);
  lua_pushvalue(L, real + 1);
  lua_pushvalue(L, real);
  lua_rawset(L, -3);
  lua_pop(L, 1);

  lua_createtable(L, 0, 5);
  lua_pushvalue(L, real);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, lb_frozen_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, lb_frozen_pairs);
  lua_setfield(L, -2, "__pairs");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  if (luaL_getmetafield(L, real, "__call") != LUA_TNIL) lua_setfield(L, -2, "__call");
  lua_setmetatable(L, real + 1);

  lua_pushnil(L);
  while (lua_next(L, real)) {
    if (lua_istable(L, -1) && !lb_is_frozen(L, -1)) {
      lb_freeze_top(L, done);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, real);  // a key that is there: the traversal goes on
    } else {
      lua_pop(L, 1);
    }
  }
  lua_replace(L, real);
}

bool lb_is_frozen(lua_State *L, int index) {
  if (!lb_push_frozen(L, index)) return false;
  lua_pop(L, 1);
  return true;
}

static int lb_freeze_body(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_frozen_key);
  lua_newtable(L);
  int done = lua_gettop(L);
  lua_newtable(L);
  int modules = done + 1;

  // Modules that became globals after the libraries were opened.
  lua_pushglobaltable(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "os") != LUA_TNIL) lua_setfield(L, -3, "os");
  else lua_pop(L, 1);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_istable(L, -1)) {
      lb_freeze_top(L, done);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, modules);
    } else {
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);

  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, lb_unknown_global);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_globals_key);
  lua_rawget(L, done);
  // What every chunk that is compiled from now on has as its environment.
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_pushvalue(L, modules);
  lua_setfield(L, LUA_REGISTRYINDEX, LB_MODULES_FIELD);

  // The strings' metatable points to the real library, which no script can reach through it.
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  return 0;
}

lb_status lb_freeze(lb_state *state) { return lb_protect(state, lb_freeze_body, NULL); }
