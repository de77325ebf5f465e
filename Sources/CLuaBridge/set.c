// TokenSet: a bit for each token id of a vocabulary.
#include "internal.h"

#include <string.h>

static const char lb_set_key = 0;  // registry: the metatable

static size_t lb_word_count(size_t count) { return (count + 63) / 64; }

lb_set *lb_push_set(lua_State *L, size_t count) {
  size_t bytes = lb_word_count(count) * sizeof(uint64_t);
  lb_set *set = lua_newuserdatauv(L, sizeof *set + bytes, 0);
  set->count = count;
  memset(set->words, 0, bytes);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_set_key);
  lua_setmetatable(L, -2);
  return set;
}

lb_set *lb_check_set(lua_State *L, int argument, const char *name, size_t count) {
  if (lb_type_at(L, argument) != LB_TYPE_SET) lb_raise_type(L, argument, name, "lacuna.set");
  lb_set *set = lua_touserdata(L, argument);
  if (count != SIZE_MAX && set->count != count) {
    const char *message = lua_pushfstring(
      L, "a set over %I ids does not fit %I", (LUAI_UACINT)set->count, (LUAI_UACINT)count);
    lb_raise_argument(L, argument, name, message);
  }
  return set;
}

static size_t lb_set_size(const lb_set *set) {
  size_t size = 0;
  for (size_t i = 0; i < lb_word_count(set->count); i++) size += (size_t)__builtin_popcountll(set->words[i]);
  return size;
}

// Bits past the last id stay zero, or the size would be wrong.
static void lb_trim(lb_set *set) {
  if (set->count % 64 != 0) set->words[set->count / 64] &= (UINT64_C(1) << (set->count % 64)) - 1;
}

typedef enum { LB_OR, LB_AND, LB_XOR, LB_MINUS } lb_operation;

static int lb_combine(lua_State *L, const char *name, lb_operation operation) {
  const lb_set *a = lb_check_set(L, 1, name, SIZE_MAX);
  const lb_set *b = lb_check_set(L, 2, name, a->count);
  lb_set *out = lb_push_set(L, a->count);
  for (size_t i = 0; i < lb_word_count(a->count); i++) {
    uint64_t x = a->words[i], y = b->words[i];
    out->words[i] = operation == LB_OR    ? x | y
                    : operation == LB_AND ? x & y
                    : operation == LB_XOR ? x ^ y
                                          : x & ~y;
  }
  return 1;
}

static int lb_set_or(lua_State *L) { return lb_combine(L, "|", LB_OR); }
static int lb_set_and(lua_State *L) { return lb_combine(L, "&", LB_AND); }
static int lb_set_xor(lua_State *L) { return lb_combine(L, "~", LB_XOR); }
static int lb_set_minus(lua_State *L) { return lb_combine(L, "-", LB_MINUS); }

static int lb_set_not(lua_State *L) {
  const lb_set *a = lb_check_set(L, 1, "~", SIZE_MAX);
  lb_set *out = lb_push_set(L, a->count);
  for (size_t i = 0; i < lb_word_count(a->count); i++) out->words[i] = ~a->words[i];
  lb_trim(out);
  return 1;
}

static int lb_set_equal(lua_State *L) {
  bool equal = false;
  if (lb_type_at(L, 1) == LB_TYPE_SET && lb_type_at(L, 2) == LB_TYPE_SET) {
    const lb_set *a = lua_touserdata(L, 1), *b = lua_touserdata(L, 2);
    equal = a->count == b->count && memcmp(a->words, b->words, lb_word_count(a->count) * 8) == 0;
  }
  lua_pushboolean(L, equal);
  return 1;
}

static int lb_set_len(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lb_set_size(lb_check_set(L, 1, "len", SIZE_MAX)));
  return 1;
}

static int lb_set_tostring(lua_State *L) {
  const lb_set *set = lb_check_set(L, 1, "tostring", SIZE_MAX);
  lua_pushfstring(L, "lacuna.set (%I of %I)", (LUAI_UACINT)lb_set_size(set), (LUAI_UACINT)set->count);
  return 1;
}

// Ids outside the vocabulary are no members, and no error.
static int lb_set_contains(lua_State *L) {
  const lb_set *set = lb_check_set(L, 1, "contains", SIZE_MAX);
  lua_Integer id = lb_check_integer(L, 2, "contains", LUA_MININTEGER, LUA_MAXINTEGER);
  bool member = id >= 0 && (lua_Unsigned)id < set->count && ((set->words[id / 64] >> (id % 64)) & 1);
  lua_pushboolean(L, member);
  return 1;
}

// upvalue 1: the methods. set[id] is contains.
static int lb_set_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TNUMBER) return lb_set_contains(L);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TNIL) lb_raise_no_field(L);
  return 1;
}

static int lb_set_ids(lua_State *L) {
  const lb_set *set = lb_check_set(L, 1, "ids", SIZE_MAX);
  lua_createtable(L, (int)lb_set_size(set), 0);
  lua_Integer n = 0;
  for (size_t id = 0; id < set->count; id++) {
    if (((set->words[id / 64] >> (id % 64)) & 1) == 0) continue;
    lua_pushinteger(L, (lua_Integer)id);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

static int lb_set_next(lua_State *L) {
  const lb_set *set = lb_check_set(L, 1, "each", SIZE_MAX);
  lua_Integer after = lua_isnoneornil(L, 2) ? -1 : lb_check_integer(L, 2, "each", -1, INT64_C(1) << 40);
  for (size_t id = (size_t)(after + 1); id < set->count;) {
    uint64_t rest = set->words[id / 64] >> (id % 64);
    if (rest != 0) {
      lua_pushinteger(L, (lua_Integer)id + __builtin_ctzll(rest));
      return 1;
    }
    id = (id / 64 + 1) * 64;
  }
  return 0;
}

// for id in set:each() do, by rising id
static int lb_set_each(lua_State *L) {
  lb_check_set(L, 1, "each", SIZE_MAX);
  lua_pushcfunction(L, lb_set_next);
  lua_pushvalue(L, 1);
  return 2;
}

static void lb_insert_ids(lua_State *L, lb_set *set, int argument, const char *name, bool member) {
  bool list = lua_type(L, argument) == LUA_TTABLE;
  lua_Unsigned n = list ? lua_rawlen(L, argument) : 1;
  for (lua_Integer i = 1; (lua_Unsigned)i <= n; i++) {
    if (list) lua_rawgeti(L, argument, i);
    else lua_pushvalue(L, argument);
    int exact;
    lua_Integer id = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &exact) : (exact = 0);
    if (!exact) lb_raise_argument(L, argument, name, "expected a token id or a list of token ids");
    if (id < 0 || (lua_Unsigned)id >= set->count)
      lb_raise(L, "bad_argument", "token id out of range: expected 0 to %I, found %I",
               (LUAI_UACINT)set->count - 1, (LUAI_UACINT)id);
    uint64_t bit = UINT64_C(1) << (id % 64);
    if (member) set->words[id / 64] |= bit;
    else set->words[id / 64] &= ~bit;
    lua_pop(L, 1);
  }
}

static int lb_set_add(lua_State *L) {
  lb_insert_ids(L, lb_check_set(L, 1, "add", SIZE_MAX), 2, "add", true);
  lua_settop(L, 1);
  return 1;
}

static int lb_set_remove(lua_State *L) {
  lb_insert_ids(L, lb_check_set(L, 1, "remove", SIZE_MAX), 2, "remove", false);
  lua_settop(L, 1);
  return 1;
}

// set.new(size [, ids])
static int lb_set_new(lua_State *L) {
  lua_Integer size = lb_check_integer(L, 1, "new", 0, INT32_MAX);
  lua_settop(L, 2);
  lb_set *set = lb_push_set(L, (size_t)size);
  if (!lua_isnil(L, 2)) lb_insert_ids(L, set, 2, "new", true);
  return 1;
}

void lb_open_set(lua_State *L) {
  static const luaL_Reg methods[] = {
    {"contains", lb_set_contains}, {"ids", lb_set_ids}, {"each", lb_set_each}, {"add", lb_set_add},
    {"remove", lb_set_remove}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {
    {"__bor", lb_set_or}, {"__band", lb_set_and}, {"__bxor", lb_set_xor}, {"__sub", lb_set_minus},
    {"__bnot", lb_set_not}, {"__eq", lb_set_equal}, {"__len", lb_set_len}, {"__tostring", lb_set_tostring},
    {NULL, NULL}};
  lb_new_metatable(L, LB_TYPE_SET, "lacuna.set");
  luaL_setfuncs(L, metamethods, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushcclosure(L, lb_set_index, 1);
  lua_setfield(L, -2, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_set_key);
  lb_push_module(L, "lacuna.set");
  lua_pushcfunction(L, lb_set_new);
  lua_setfield(L, -2, "new");
  lua_pop(L, 1);
}
