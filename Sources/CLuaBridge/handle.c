// Handles: userdata that hold one reference to an object of the host.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  lb_resource resource;
  uint32_t type;
  void *object;  // NULL before it is attached and after release
} lb_handle;

static const char lb_type_key = 0;     // in a metatable: the type's number
static const char lb_known_key = 0;    // registry: object -> its live handle, weak
static const char lb_types_key = 0;    // registry: type number -> metatable

uint32_t lb_type_at(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return LB_TYPE_NONE;
  lua_rawgetp(L, -1, &lb_type_key);
  uint32_t type = (uint32_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return type;
}

void *lb_handle_object(lua_State *L, int index) { return ((lb_handle *)lua_touserdata(L, index))->object; }

static void lb_let_go(lua_State *L, bool closing) {
  uint32_t type = lb_type_at(L, 1);
  if (type < LB_FIRST_HOST_TYPE) return;
  lb_handle *handle = lua_touserdata(L, 1);
  void *object = handle->object;
  if (object == NULL) return;
  // A later object may have the same address. Existing keys only: nothing is allocated.
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_known_key);
  lua_rawgetp(L, -1, object);
  if (lua_rawequal(L, -1, 1)) {
    lua_pushnil(L);
    lua_rawsetp(L, -3, object);
  }
  lua_pop(L, 2);
  lb_forget_resource(&handle->resource);
  handle->object = NULL;
  lb_state *state = lb_of(L);
  state->live_objects--;
  state->host.release(state->host.context, type, object, closing);
}

static void lb_handle_drop(lb_state *state, lb_resource *resource) {
  lb_handle *handle = (lb_handle *)resource;  // its first field
  void *object = handle->object;
  handle->object = NULL;
  state->live_objects--;
  state->host.release(state->host.context, handle->type, object, false);
}

static int lb_handle_gc(lua_State *L) {
  lb_let_go(L, false);
  return 0;
}

static int lb_handle_close(lua_State *L) {
  if (lb_type_at(L, 1) < LB_FIRST_HOST_TYPE) lb_raise_type(L, 1, "close", "handle");
  lb_let_go(L, true);
  return 0;
}

bool lb_push_known_handle(lua_State *L, const void *object) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_known_key);
  lua_rawgetp(L, -1, object);
  lua_remove(L, -2);
  // After a close the entry may be gone or name another object.
  if (lua_isuserdata(L, -1) && lb_handle_object(L, -1) == object) return true;
  lua_pop(L, 1);
  return false;
}

void lb_push_handle(lua_State *L, uint32_t type, void **object) {
  lb_state *state = lb_of(L);
  if (lb_push_known_handle(L, *object)) {
    // The script has this reference already.
    void *extra = *object;
    *object = NULL;
    state->host.release(state->host.context, type, extra, false);
    return;
  }
  // Closed and with its metatable first: whatever fails below leaves something that can be collected.
  lb_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
  memset(handle, 0, sizeof *handle);
  handle->type = type;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_types_key);
  lua_rawgeti(L, -1, (lua_Integer)type);
  lua_setmetatable(L, -3);
  lua_pop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_known_key);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, *object);
  lua_pop(L, 1);
  handle->object = *object;
  *object = NULL;
  lb_keep_resource(state, &handle->resource, lb_handle_drop);
  state->live_objects++;
}

// --- fields ------------------------------------------------------------------------------------------------------

// Plain edit distance over short names.
static size_t lb_distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  if (n >= LB_NAME_BYTES || m >= LB_NAME_BYTES) return LB_NAME_BYTES;
  size_t row[LB_NAME_BYTES + 1];
  for (size_t j = 0; j <= m; j++) row[j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t best = diagonal + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[m];
}

// Whether one of two names, of three letters or more, begins the other: "maximum" for "max".
static bool lb_begins(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b), shorter = n < m ? n : m;
  return shorter >= 3 && strncmp(a, b, shorter) == 0;
}

const char *lb_nearest_key(lua_State *L, int table, const char *name) {
  const char *nearest = NULL;
  size_t least = 3;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    const char *key = lua_tostring(L, -1);
    const char *plain = key[0] == '@' ? key + 1 : key;
    size_t distance = lb_distance(name, plain);
    if (distance > 2 && lb_begins(name, plain)) distance = 2;
    // Ties by the alphabet: the order of a table's keys differs from run to run.
    if (distance < least || (distance == least && nearest != NULL && strcmp(key, nearest) < 0)) {
      least = distance;
      nearest = key;
    }
  }
  if (nearest != NULL && nearest[0] == '@') nearest++;
  return nearest;
}

// For an __index whose argument 2 is no field of argument 1; upvalue 1 holds the methods.
_Noreturn void lb_raise_no_field(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING)
    lb_raise(L, "no_field", "%s has no %s fields", lb_type_name(L, 1), luaL_typename(L, 2));
  const char *key = lua_tostring(L, 2);
  lua_pushvalue(L, lua_upvalueindex(1));
  const char *nearest = lb_nearest_key(L, lua_gettop(L), key);
  if (nearest) lb_raise(L, "no_field", "%s has no '%s' (did you mean '%s'?)", lb_type_name(L, 1), key, nearest);
  lb_raise(L, "no_field", "%s has no '%s'", lb_type_name(L, 1), key);
}

// upvalue 1: the methods. A method, or a computed field, or an error that names what was meant.
static int lb_handle_index(lua_State *L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  if (lua_type(L, 2) != LUA_TSTRING) lb_raise_no_field(L);
  lua_pushfstring(L, "@%s", lua_tostring(L, 2));
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
  }
  lb_raise_no_field(L);
}

void lb_new_metatable(lua_State *L, uint32_t type, const char *name) {
  lua_createtable(L, 0, 8);
  lua_pushinteger(L, type);
  lua_rawsetp(L, -2, &lb_type_key);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
}

static int lb_null_tostring(lua_State *L) {
  lua_pushliteral(L, "null");
  return 1;
}

void lb_open_handles(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_known_key);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_types_key);

  // lacuna.json.null: one value, equal to itself alone; found under the address of the state's host.
  lua_newuserdatauv(L, 1, 0);
  lb_new_metatable(L, LB_TYPE_NULL, "null");
  lua_pushcfunction(L, lb_null_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_setmetatable(L, -2);
  lb_push_module(L, "lacuna.json");
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "null");
  lua_pop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_of(L)->host);

  lua_createtable(L, 0, 2);
  lua_pushliteral(L, "array");
  lua_setfield(L, -2, "__name");
  // Shared by every array: no script may put a metamethod there.
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_array_mark);
}

typedef struct {
  const char *name;
  uint32_t type;
} lb_type_request;

static int lb_add_type_body(lua_State *L) {
  lb_type_request *request = lua_touserdata(L, 1);
  lb_new_metatable(L, request->type, request->name);
  lua_newtable(L);
  lua_pushcfunction(L, lb_handle_close);
  lua_setfield(L, -2, "close");
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "methods");
  lua_pushcclosure(L, lb_handle_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, lb_handle_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, lb_handle_close);
  lua_setfield(L, -2, "__close");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_types_key);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)request->type);
  return 0;
}

uint32_t lb_add_type(lb_state *state, const char *name) {
  if (state->type_count >= LB_MAX_TYPES || strlen(name) >= LB_NAME_BYTES) return 0;
  lb_type_request request = {name, state->type_count};
  if (lb_protect(state, lb_add_type_body, &request) != LB_OK) return 0;
  strcpy(state->type_names[request.type], name);
  state->type_count++;
  return request.type;
}

// --- functions ---------------------------------------------------------------------------------------------------

static int lb_add_function_body(lua_State *L) {
  lb_function *function = lua_touserdata(L, 1);
  lb_state *state = lb_of(L);
  bool metamethod = strncmp(function->name, "__", 2) == 0;
  uint32_t type = LB_FIRST_HOST_TYPE;
  while (type < state->type_count && strcmp(state->type_names[type], function->owner) != 0) type++;
  if (type < state->type_count) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_types_key);
    lua_rawgeti(L, -1, (lua_Integer)type);
    if (!metamethod) lua_getfield(L, -1, "methods");
  } else {
    lb_push_module(L, function->owner);
    if (metamethod) {
      if (!lua_getmetatable(L, -1)) {
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setmetatable(L, -3);
      }
    }
  }
  lua_pushlightuserdata(L, function);
  lua_pushcclosure(L, lb_trampoline, 1);
  lua_setfield(L, -2, function->name);
  // Messages name a field by what the script writes.
  if (function->name[0] == '@') memmove(function->name, function->name + 1, strlen(function->name));
  return 0;
}

lb_status lb_add_function(
  lb_state *state, const char *owner, const char *name, const char *signature, int32_t number) {
  if (strlen(name) >= LB_NAME_BYTES || strlen(owner) >= LB_NAME_BYTES) return LB_NO_MEMORY;
  lb_function *function = calloc(1, sizeof *function);
  if (function == NULL) return LB_NO_MEMORY;
  // On the list first: a closure that was made must not outlive it.
  function->next = state->functions;
  state->functions = function;
  function->number = number;
  strcpy(function->name, name);
  strcpy(function->owner, owner);
  if (!lb_parse_signature(state, signature, function)) return LB_NO_MEMORY;
  return lb_protect(state, lb_add_function_body, function);
}

char *lb_registered_names(lb_state *state) {
  size_t room = 1;
  for (lb_function *f = state->functions; f; f = f->next) room += strlen(f->owner) + strlen(f->name) + 2;
  char *text = calloc(1, room);
  if (text == NULL) return NULL;
  char *out = text;
  for (lb_function *f = state->functions; f; f = f->next) {
    size_t count = strlen(f->owner);
    memcpy(out, f->owner, count);
    out += count;
    *out++ = ':';
    count = strlen(f->name);
    memcpy(out, f->name, count);
    out += count;
    *out++ = '\n';
  }
  return text;
}
