// Vec: float32 vectors indexed by token id. Owned ones, and views of the host's memory that know when they are stale.
#include "internal.h"

#include <math.h>
#include <string.h>

static const char lb_vec_key = 0;  // registry: the metatable

// A view that was finalized has no source any more; another finalizer may still have the view.
static bool lb_is_stale(const lb_vec *vec) {
  if (!vec->is_view) return false;
  return vec->source == NULL || vec->source->epoch == NULL || *vec->source->epoch != vec->stamp;
}

static void lb_check_fresh(lua_State *L, const lb_vec *vec) {
  if (!lb_is_stale(vec)) return;
  if (vec->writable)
    lb_raise(L, "stale_view", "these logits belonged to a callback that has returned; keep a copy with :copy()");
  lb_raise(
    L, "stale_view",
    "this vector is out of date, the session has moved on since it was given out; keep a copy with :copy()");
}

lb_vec *lb_check_vec(lua_State *L, int argument, const char *name) {
  if (lb_type_at(L, argument) != LB_TYPE_VEC) lb_raise_type(L, argument, name, "lacuna.vec");
  lb_vec *vec = lua_touserdata(L, argument);
  lb_check_fresh(L, vec);
  return vec;
}

lb_vec *lb_check_writable(lua_State *L, int argument, const char *name) {
  lb_vec *vec = lb_check_vec(L, argument, name);
  if (!vec->writable)
    lb_raise(L, "frozen", "a session's own vectors cannot be changed; change a copy, made with :copy()");
  return vec;
}

enum { LB_MAX_SANDBOX_FLOATS = 1 << 19 };

static lb_vec *lb_new_vec(lua_State *L, size_t floats) {
  lb_vec *vec = lua_newuserdatauv(L, sizeof *vec + floats * sizeof(float), 1);
  memset(vec, 0, sizeof *vec);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_vec_key);
  lua_setmetatable(L, -2);
  return vec;
}

lb_vec *lb_push_vec(lua_State *L, size_t count) {
  // What the kernels do with a vector is not stopped in the middle: a full sort of the longest takes some 50 ms.
  size_t most = lb_is_sandboxed(lb_of(L)) ? LB_MAX_SANDBOX_FLOATS : INT32_MAX;
  if (count > most)
    lb_raise(L, "bad_argument", "a vector has at most %I elements here, found %I", (LUAI_UACINT)most, (LUAI_UACINT)count);
  lb_make_room(L, count * sizeof(float));
  lb_vec *vec = lb_new_vec(L, count);
  vec->data = (float *)(vec + 1);
  vec->count = count;
  vec->writable = true;
  return vec;
}

static void lb_vec_drop(lb_state *state, lb_resource *resource) {
  (void)state;
  lb_vec *vec = (lb_vec *)resource;  // its first field
  if (vec->source != NULL) lb_source_drop(vec->source);
  vec->source = NULL;
}

void lb_push_view(lua_State *L, const lb_item *item, uint64_t stamp) {
  lb_vec *vec = lb_new_vec(L, 0);
  vec->data = item->pointer;
  vec->count = item->count;
  vec->writable = item->type != 0;
  vec->is_view = true;
  vec->stamp = stamp;
  vec->source = item->source;
  vec->source->references++;
  lb_keep_resource(lb_of(L), &vec->resource, lb_vec_drop);
}

static int lb_vec_gc(lua_State *L) {
  lb_vec *vec = lua_touserdata(L, 1);
  lb_forget_resource(&vec->resource);
  lb_vec_drop(lb_of(L), &vec->resource);
  return 0;
}

// --- numbers as arguments ----------------------------------------------------------------------------------------

double lb_check_number(lua_State *L, int argument, const char *name) {
  if (lua_type(L, argument) != LUA_TNUMBER) lb_raise_type(L, argument, name, "number");
  return lua_tonumber(L, argument);
}

double lb_opt_number(lua_State *L, int argument, const char *name, double absent) {
  return lua_isnoneornil(L, argument) ? absent : lb_check_number(L, argument, name);
}

lua_Integer lb_check_integer(
  lua_State *L, int argument, const char *name, lua_Integer least, lua_Integer most) {
  if (lua_type(L, argument) != LUA_TNUMBER) lb_raise_type(L, argument, name, "integer");
  int exact;
  lua_Integer value = lua_tointegerx(L, argument, &exact);
  if (!exact) lb_raise_argument(L, argument, name, "number has no integer representation");
  if (value < least || value > most) {
    const char *message = lua_pushfstring(L, "expected %I to %I, found %I", (LUAI_UACINT)least,
                                          (LUAI_UACINT)most, (LUAI_UACINT)value);
    lb_raise_argument(L, argument, name, message);
  }
  return value;
}

// --- elements ----------------------------------------------------------------------------------------------------

static size_t lb_element(lua_State *L, const lb_vec *vec, int argument) {
  int exact;
  lua_Integer id = lua_tointegerx(L, argument, &exact);
  if (!exact) lb_raise(L, "bad_argument", "a token id must be an integer, not %f", lua_tonumber(L, argument));
  if (id < 0 || (lua_Unsigned)id >= vec->count)
    lb_raise(L, "bad_argument", "token id out of range: expected 0 to %I, found %I",
             (LUAI_UACINT)vec->count - 1, (LUAI_UACINT)id);
  return (size_t)id;
}

// upvalue 1: the methods.
static int lb_vec_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TNUMBER) {
    lb_vec *vec = lb_check_vec(L, 1, "index");
    lua_pushnumber(L, vec->data[lb_element(L, vec, 2)]);
    return 1;
  }
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) lb_raise_no_field(L);
  return 1;
}

static int lb_vec_newindex(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "index");
  if (lua_type(L, 2) != LUA_TNUMBER) lb_raise(L, "bad_argument", "a Vec is indexed by token ids only");
  size_t id = lb_element(L, vec, 2);
  if (lua_type(L, 3) != LUA_TNUMBER)
    lb_raise(L, "bad_argument", "a Vec holds numbers, not %s", lb_type_name(L, 3));
  vec->data[id] = (float)lua_tonumber(L, 3);
  return 0;
}

static int lb_vec_len(lua_State *L) {
  if (lb_type_at(L, 1) != LB_TYPE_VEC) lb_raise_type(L, 1, "len", "lacuna.vec");
  // The length of a stale view is still true.
  lua_pushinteger(L, (lua_Integer)((lb_vec *)lua_touserdata(L, 1))->count);
  return 1;
}

static int lb_vec_tostring(lua_State *L) {
  lb_vec *vec = lua_touserdata(L, 1);
  lua_pushfstring(L, "lacuna.vec (%I%s)", (LUAI_UACINT)vec->count, lb_is_stale(vec) ? ", stale" : "");
  return 1;
}

static int lb_vec_get(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "get");
  if (lua_type(L, 2) != LUA_TTABLE) lb_raise_type(L, 2, "get", "table");
  lua_settop(L, 2);
  lua_Unsigned n = lua_rawlen(L, 2);
  lua_createtable(L, n > INT32_MAX ? 0 : (int)n, 0);
  // Making room may have run a finalizer, and that anything.
  lb_check_fresh(L, vec);
  for (lua_Integer i = 1; (lua_Unsigned)i <= n; i++) {
    if (lua_rawgeti(L, 2, i) != LUA_TNUMBER) lb_raise_argument(L, 2, "get", "expected a list of token ids");
    lua_pushnumber(L, vec->data[lb_element(L, vec, -1)]);
    lua_rawseti(L, 3, i);
    lua_pop(L, 1);
  }
  return 1;
}

static int lb_vec_set(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "set");
  if (lua_type(L, 2) != LUA_TTABLE) lb_raise_type(L, 2, "set", "table");
  float value = (float)lb_check_number(L, 3, "set");
  lua_Unsigned n = lua_rawlen(L, 2);
  // Checked as a whole first: an error leaves the vector as it was.
  for (int pass = 0; pass < 2; pass++) {
    for (lua_Integer i = 1; (lua_Unsigned)i <= n; i++) {
      if (lua_rawgeti(L, 2, i) != LUA_TNUMBER) lb_raise_argument(L, 2, "set", "expected a list of token ids");
      size_t id = lb_element(L, vec, -1);
      if (pass == 1) vec->data[id] = value;
      lua_pop(L, 1);
    }
  }
  lua_settop(L, 1);
  return 1;
}

// vec:bias { [id] = x }
static int lb_vec_bias(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "bias");
  if (lua_type(L, 2) != LUA_TTABLE) lb_raise_type(L, 2, "bias", "table");
  for (int pass = 0; pass < 2; pass++) {
    lua_pushnil(L);
    while (lua_next(L, 2)) {
      if (lua_type(L, -2) != LUA_TNUMBER || lua_type(L, -1) != LUA_TNUMBER)
        lb_raise_argument(L, 2, "bias", "expected { [token id] = number }");
      size_t id = lb_element(L, vec, -2);
      if (pass == 1) vec->data[id] += (float)lua_tonumber(L, -1);
      lua_pop(L, 1);
    }
  }
  lua_settop(L, 1);
  return 1;
}

static int lb_vec_copy(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "copy");
  lb_vec *copy = lb_push_vec(L, vec->count);
  lb_check_fresh(L, vec);  // as above
  memcpy(copy->data, vec->data, vec->count * sizeof(float));
  return 1;
}

// --- lacuna.vec --------------------------------------------------------------------------------------------------

// vec.new(n [, x])
static int lb_vec_new(lua_State *L) {
  lua_Integer n = lb_check_integer(L, 1, "new", 0, INT32_MAX);
  float value = (float)lb_opt_number(L, 2, "new", 0);
  lb_vec *vec = lb_push_vec(L, (size_t)n);
  for (size_t i = 0; i < vec->count; i++) vec->data[i] = value;
  return 1;
}

// vec.of { x0, x1, ... }: the first number has id 0.
static int lb_vec_of(lua_State *L) {
  if (lua_type(L, 1) != LUA_TTABLE) lb_raise_type(L, 1, "of", "table");
  lua_Unsigned n = lua_rawlen(L, 1);
  lb_vec *vec = lb_push_vec(L, (size_t)n);
  for (size_t i = 0; i < vec->count; i++) {
    if (lua_rawgeti(L, 1, (lua_Integer)i + 1) != LUA_TNUMBER) lb_raise_argument(L, 1, "of", "expected numbers");
    vec->data[i] = (float)lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return 1;
}

void lb_open_vec(lua_State *L) {
  static const luaL_Reg methods[] = {
    {"get", lb_vec_get}, {"set", lb_vec_set}, {"bias", lb_vec_bias}, {"copy", lb_vec_copy}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
    {"__newindex", lb_vec_newindex}, {"__len", lb_vec_len}, {"__tostring", lb_vec_tostring},
    {"__gc", lb_vec_gc}, {NULL, NULL}};
  static const luaL_Reg functions[] = {{"new", lb_vec_new}, {"of", lb_vec_of}, {NULL, NULL}};
  lb_new_metatable(L, LB_TYPE_VEC, "lacuna.vec");
  luaL_setfuncs(L, metamethods, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lb_open_vec_reduce(L);
  lb_open_vec_change(L);
  lb_open_vec_draw(L);
  lua_pushcclosure(L, lb_vec_index, 1);
  lua_setfield(L, -2, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_vec_key);
  lb_push_module(L, "lacuna.vec");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
