// table.* of sandboxed states. A table can claim any length (__len) and have elements that nobody stored (__index), so
// every loop here looks at the limits.
#include "internal.h"

#include <limits.h>

static lua_Integer lb_length(lua_State *L, int argument) {
  luaL_checktype(L, argument, LUA_TTABLE);
  return luaL_len(L, argument);
}

static int lb_table_concat(lua_State *L) {
  lua_Integer last = lb_length(L, 1);
  size_t count;
  const char *separator = luaL_optlstring(L, 2, "", &count);
  lua_Integer i = luaL_optinteger(L, 3, 1);
  last = luaL_optinteger(L, 4, last);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (; i <= last; i++) {
    lb_poll(L);
    lua_geti(L, 1, i);
    if (!lua_isstring(L, -1))
      return luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), (LUAI_UACINT)i);
    luaL_addvalue(&buffer);
    if (i == last) break;  // the largest integer has no successor
    luaL_addlstring(&buffer, separator, count);
  }
  luaL_pushresult(&buffer);
  return 1;
}

static int lb_table_insert(lua_State *L) {
  lua_Integer end = (lua_Integer)((lua_Unsigned)lb_length(L, 1) + 1);
  lua_Integer position = end;
  int n = lua_gettop(L);
  if (n == 3) {
    position = luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
    for (lua_Integer i = end; i > position; i--) {
      lb_poll(L);
      lua_geti(L, 1, i - 1);
      lua_seti(L, 1, i);
    }
  } else if (n != 2) {
    return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, position);
  return 0;
}

static int lb_table_remove(lua_State *L) {
  lua_Integer size = lb_length(L, 1);
  lua_Integer position = luaL_optinteger(L, 2, size);
  // One past the end may be removed as well, and 0 of nothing.
  if (position != size)
    luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 2, "position out of bounds");
  lua_geti(L, 1, position);
  for (; position < size; position++) {
    lb_poll(L);
    lua_geti(L, 1, position + 1);
    lua_seti(L, 1, position);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

static int lb_table_move(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  luaL_checktype(L, target, LUA_TTABLE);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer count = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    // Backwards where the target begins inside the source.
    bool backwards = to > first && to <= last && (target == 1 || lua_compare(L, 1, target, LUA_OPEQ));
    for (lua_Integer n = 0; n < count; n++) {
      lua_Integer i = backwards ? count - 1 - n : n;
      lb_poll(L);
      lua_geti(L, 1, first + i);
      lua_seti(L, target, to + i);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

static int lb_table_unpack(lua_State *L) {
  lua_Integer first = luaL_optinteger(L, 2, 1);
  lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (first > last) return 0;
  lua_Unsigned count = (lua_Unsigned)last - (lua_Unsigned)first;
  if (count >= INT_MAX || !lua_checkstack(L, (int)(count + 1))) return luaL_error(L, "too many results to unpack");
  for (lua_Unsigned i = 0; i <= count; i++) {
    lb_poll(L);
    lua_geti(L, 1, (lua_Integer)((lua_Unsigned)first + i));
  }
  return (int)count + 1;
}

// --- sort --------------------------------------------------------------------------------------------------------

// Whether the value at index a goes before that at b. Argument 2 is the order, or nil.
static bool lb_goes_before(lua_State *L, int a, int b) {
  lb_poll(L);
  if (lua_isnil(L, 2)) return lua_compare(L, a, b, LUA_OPLT);
  a = lua_absindex(L, a);
  b = lua_absindex(L, b);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, a);
  lua_pushvalue(L, b);
  lua_call(L, 2, 1);
  bool before = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return before;
}

static void lb_swap(lua_State *L, lua_Integer i, lua_Integer j) {
  lua_geti(L, 1, i);
  lua_geti(L, 1, j);
  lua_seti(L, 1, i);
  lua_seti(L, 1, j);
}

// Whether element i goes before element j.
static bool lb_element_before(lua_State *L, lua_Integer i, lua_Integer j) {
  lua_geti(L, 1, i);
  lua_geti(L, 1, j);
  bool before = lb_goes_before(L, -2, -1);
  lua_pop(L, 2);
  return before;
}

// Hoare's partition of low...high about the middle element, which is put on the stack meanwhile. Returns where the
// upper part begins.
static lua_Integer lb_partition(lua_State *L, lua_Integer low, lua_Integer high) {
  lua_Integer middle = low + (high - low) / 2;
  if (lb_element_before(L, middle, low)) lb_swap(L, middle, low);
  if (lb_element_before(L, high, middle)) {
    lb_swap(L, high, middle);
    if (lb_element_before(L, middle, low)) lb_swap(L, middle, low);
  }
  lua_geti(L, 1, middle);
  int pivot = lua_gettop(L);
  lua_Integer i = low, j = high;
  for (;;) {
    // The ends are sentinels, unless the order contradicts itself.
    for (;; ) {
      if (++i > high) luaL_error(L, "invalid order function for sorting");
      lua_geti(L, 1, i);
      bool before = lb_goes_before(L, -1, pivot);
      lua_pop(L, 1);
      if (!before) break;
    }
    for (;;) {
      if (--j < low) luaL_error(L, "invalid order function for sorting");
      lua_geti(L, 1, j);
      bool after = lb_goes_before(L, pivot, -1);
      lua_pop(L, 1);
      if (!after) break;
    }
    if (i >= j) break;
    lb_swap(L, i, j);
  }
  lua_pop(L, 1);
  return i;
}

static int lb_table_sort(lua_State *L) {
  lua_Integer n = lb_length(L, 1);
  luaL_argcheck(L, n < INT_MAX, 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_checkstack(L, 8, NULL);
  // Ranges still to do. The larger part waits, so that there are never more than the logarithm of n.
  struct { lua_Integer low, high; } waiting[64];
  int count = 0;
  lua_Integer low = 1, high = n;
  for (;;) {
    while (high - low >= 3) {
      lua_Integer split = lb_partition(L, low, high);
      // An order that contradicts itself may leave one side everything.
      if (split <= low || split > high) luaL_error(L, "invalid order function for sorting");
      if (split - low < high - split + 1) {
        waiting[count].low = split;
        waiting[count++].high = high;
        high = split - 1;
      } else {
        waiting[count].low = low;
        waiting[count++].high = split - 1;
        low = split;
      }
    }
    for (lua_Integer i = low + 1; i <= high; i++)
      for (lua_Integer j = i; j > low && lb_element_before(L, j, j - 1); j--) lb_swap(L, j, j - 1);
    if (count == 0) return 0;
    low = waiting[--count].low;
    high = waiting[count].high;
  }
}

void lb_open_sandbox_table(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"concat", lb_table_concat}, {"insert", lb_table_insert}, {"remove", lb_table_remove}, {"move", lb_table_move},
    {"unpack", lb_table_unpack}, {"sort", lb_table_sort}, {NULL, NULL}};
  lua_getglobal(L, LUA_TABLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
