// The base library of sandboxed states, where it differs from the stock one; require; os.time and its like.
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *lb_push_text(lua_State *L, int index, size_t *count) {
  if (!lb_is_sandboxed(lb_of(L))) return luaL_tolstring(L, index, count);
  index = lua_absindex(L, index);
  luaL_checkstack(L, 4, NULL);
  if (luaL_callmeta(L, index, "__tostring")) {
    if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
  } else {
    switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING: luaL_tolstring(L, index, NULL); break;
    default: {
      // An address would tell where things are in the process.
      int type = luaL_getmetafield(L, index, "__name");
      if (type == LUA_TSTRING) break;
      if (type != LUA_TNIL) lua_pop(L, 1);
      lua_pushstring(L, luaL_typename(L, index));
    }
    }
  }
  return lua_tolstring(L, -1, count);
}

static int lb_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  lb_push_text(L, 1, NULL);
  return 1;
}

// "count" only: a script that could switch the collector off would fill its memory with garbage.
static int lb_collectgarbage(lua_State *L) {
  const char *what = luaL_optstring(L, 1, "collect");
  if (strcmp(what, "count") != 0)
    lb_raise(L, "denied", "collectgarbage(\"%s\") is not for sandboxed scripts; \"count\" is", what);
  lua_pushnumber(L, (lua_Number)lua_gc(L, LUA_GCCOUNT) + (lua_Number)lua_gc(L, LUA_GCCOUNTB) / 1024);
  return 1;
}

static int lb_setmetatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  if (type != LUA_TNIL && type != LUA_TTABLE) lb_raise_type(L, 2, "setmetatable", "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  if (type == LUA_TTABLE) {
    // Lua looks for it here and now; one that is put there later is never called.
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL)
      lb_raise(L, "denied", "'__gc' is not for sandboxed scripts; a <close> variable ends with its block");
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

static int lb_rawset(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (lb_is_frozen(L, 1)) lb_refuse_write(L, 1, 2);
  lua_rawset(L, 1);
  return 1;
}

static int lb_rawget(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  if (lb_push_frozen(L, 1)) lua_replace(L, 1);
  lua_rawget(L, 1);
  return 1;
}

// --- source ------------------------------------------------------------------------------------------------------

void lb_check_source(lua_State *L, const char *bytes, size_t count, const char *name) {
  lb_state *state = lb_of(L);
  if (*name == '@' || *name == '=') name++;
  if (count > state->limits.source)
    lb_raise(L, "too_large", "%s: expected at most %I bytes of source, found %I", name,
             (LUAI_UACINT)state->limits.source, (LUAI_UACINT)count);
  if (count > 0 && bytes[0] == LUA_SIGNATURE[0]) lb_raise(L, "denied", "%s: expected text, found bytecode", name);
}

// The pieces of a function's chunk, joined at index 1.
static void lb_join_pieces(lua_State *L) {
  size_t most = lb_of(L)->limits.source;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t total = 0;;) {
    lb_poll(L);
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) break;
    size_t count = 0;
    const char *piece = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &count) : NULL;
    if (piece == NULL) luaL_error(L, "reader function must return a string");
    if (count == 0) break;
    if (count > most - total) lb_raise(L, "too_large", "expected at most %I bytes of source, found more", (LUAI_UACINT)most);
    total += count;
    luaL_addvalue(&buffer);
  }
  lua_pop(L, 1);
  luaL_pushresult(&buffer);
  lua_replace(L, 1);
}

// load(chunk [, name [, mode]]): text, in the one environment there is.
static int lb_load_chunk(lua_State *L) {
  const char *mode = luaL_optstring(L, 3, "t");
  if (strchr(mode, 't') == NULL) lb_raise(L, "denied", "sandboxed scripts load text only");
  if (!lua_isnone(L, 4)) lb_raise(L, "denied", "sandboxed scripts load into their own environment only");
  if (lua_type(L, 1) != LUA_TSTRING) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lb_join_pieces(L);
  }
  size_t count;
  const char *bytes = lua_tolstring(L, 1, &count);
  const char *name = luaL_optstring(L, 2, "=(load)");
  lb_check_source(L, bytes, count, name);
  if (luaL_loadbufferx(L, bytes, count, name, "t") == LUA_OK) return 1;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

// --- require -----------------------------------------------------------------------------------------------------

static const char lb_required_key = 0;  // registry: name -> value; true while it is being loaded
static const char lb_loading_key = 0;   // registry: stands for a module that is being loaded

// Words of letters, digits, "_" and "-", joined by dots: nothing that leaves the folder.
static bool lb_is_module_name(const char *name) {
  size_t word = 0;
  for (; *name; name++) {
    if (*name == '.') {
      if (word == 0) return false;
      word = 0;
    } else {
      if (!isalnum((unsigned char)*name) && *name != '_' && *name != '-') return false;
      word++;
    }
  }
  return word > 0;
}

// Reads a whole file of at most `room` bytes; -1 with errno. No Lua in between: a jump would leave it open.
static ssize_t lb_read_file(const char *path, char *out, size_t room) {
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return -1;
  struct stat status;
  ssize_t total = -1;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
    for (total = 0; (size_t)total < room;) {
      ssize_t count = read(file, out + total, room - (size_t)total);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        if (count < 0) total = -1;
        break;
      }
      total += count;
    }
  } else {
    errno = EISDIR;
  }
  close(file);
  return total;
}

// Compiles the module's file. Pushes the path, something else and the function; or nothing and returns false, if there is
// no such file.
static bool lb_load_file(lua_State *L, const char *folder, const char *name, const char *ending) {
  size_t room = lb_of(L)->limits.source + 1;
  char *bytes = lua_newuserdatauv(L, room, 0);
  const char *path = lua_pushfstring(L, "%s/%s%s", folder, name, ending);
  ssize_t count = lb_read_file(path, bytes, room);
  if (count < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      lua_pop(L, 2);
      return false;
    }
    lb_raise(L, "unreadable", "%s: %s", path, strerror(errno));
  }
  const char *chunk = lua_pushfstring(L, "@%s", path);
  lb_check_source(L, bytes, (size_t)count, chunk);
  if (luaL_loadbufferx(L, bytes, (size_t)count, chunk, "t") != LUA_OK) lua_error(L);
  return true;
}

static int lb_require(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, LB_MODULES_FIELD);
  if (lua_istable(L, -1) && lua_getfield(L, -1, name) != LUA_TNIL) return 1;
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_required_key);  // 2
  if (lua_getfield(L, 2, name) != LUA_TNIL) {
    if (lua_touserdata(L, -1) == (void *)&lb_loading_key) return luaL_error(L, "loop in require: '%s' requires itself", name);
    return 1;
  }
  if (!lb_is_module_name(name))
    lb_raise(L, "denied", "module '%s': expected words joined by dots, such as \"util.text\"", name);
  if (lua_getfield(L, LUA_REGISTRYINDEX, LB_FOLDER_FIELD) != LUA_TSTRING)
    lb_raise(L, "not_found", "module '%s' not found: this script has no folder of its own", name);
  const char *folder = lua_tostring(L, -1);
  const char *file = luaL_gsub(L, name, ".", "/");
  if (!lb_load_file(L, folder, file, ".lua") && !lb_load_file(L, folder, file, "/init.lua"))
    lb_raise(L, "not_found", "module '%s' not found in %s; a sandboxed script sees its own folder and lacuna.*", name, folder);
  lua_pushlightuserdata(L, (void *)&lb_loading_key);
  lua_setfield(L, 2, name);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -4);  // the path
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    lua_pushnil(L);
    lua_setfield(L, 2, name);
    return lua_error(L);
  }
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushboolean(L, 1);
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, name);
  return 1;
}

void lb_open_sandbox_base(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"tostring", lb_tostring}, {"collectgarbage", lb_collectgarbage}, {"setmetatable", lb_setmetatable},
    {"rawset", lb_rawset}, {"rawget", lb_rawget}, {"load", lb_load_chunk}, {"require", lb_require}, {NULL, NULL}};
  static const char *const absent[] = {"dofile", "loadfile", "warn"};
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
    lua_pushnil(L);
    lua_setfield(L, -2, absent[i]);
  }
  // Of the debug library, the traceback.
  luaL_requiref(L, LUA_DBLIBNAME, luaopen_debug, 0);
  lua_createtable(L, 0, 1);
  lua_getfield(L, -2, "traceback");
  lua_setfield(L, -2, "traceback");
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, LUA_DBLIBNAME);
  lua_pop(L, 1);
  lua_setfield(L, -3, LUA_DBLIBNAME);
  lua_pop(L, 2);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_required_key);
}

// --- the clock ---------------------------------------------------------------------------------------------------

// upvalue 1: the stock os.date, which formats all of a long text at a stretch.
static int lb_os_date(lua_State *L) {
  size_t count;
  luaL_optlstring(L, 1, "%c", &count);
  if (count > 1024) lb_raise_argument(L, 1, "date", "expected a format of at most 1024 bytes");
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

void lb_open_sandbox_clock(lua_State *L) {
  luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 0);
  lua_createtable(L, 0, 4);
  lua_getfield(L, -2, "time");
  lua_setfield(L, -2, "time");
  lua_getfield(L, -2, "clock");
  lua_setfield(L, -2, "clock");
  lua_getfield(L, -2, "date");
  lua_pushcclosure(L, lb_os_date, 1);
  lua_setfield(L, -2, "date");
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_insert(L, -2);
  lua_setfield(L, -2, LUA_OSLIBNAME);
  lua_pop(L, 2);
}
