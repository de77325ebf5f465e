// Lua's stack to tape and back.
#include "internal.h"

#include <string.h>

const char lb_array_mark = 0;

// --- Lua to tape -------------------------------------------------------------------------------------------------

static void lb_read_nested(lua_State *L, int index, lb_tape *tape, int flags, int depth);

static bool lb_is_marked(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_array_mark);
  bool marked = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return marked;
}

// Raw reads throughout: no metamethod runs while the host's tape is half written.
static void lb_read_table(lua_State *L, int index, lb_tape *tape, int flags, int depth) {
  if (depth >= LB_MAX_DEPTH)
    lb_raise(L, "bad_argument", "a table is nested deeper than %d levels, or contains itself", LB_MAX_DEPTH);
  luaL_checkstack(L, 4, "table nested too deeply");
  size_t length = (size_t)lua_rawlen(L, index);
  size_t start = tape->count;
  lb_begin_table(tape, 0, 0, lb_is_marked(L, index));
  size_t n = 0;
  for (; n < length; n++) {
    if (lua_rawgeti(L, index, (lua_Integer)n + 1) == LUA_TNIL) {
      lua_pop(L, 1);
      break;
    }
    lb_read_nested(L, lua_gettop(L), tape, flags, depth + 1);
    lua_pop(L, 1);
    if (tape->failed) lb_raise_tape(L, tape);
  }
  lua_pushnil(L);
  while (lua_next(L, index)) {
    bool in_sequence = false;
    if (lua_isinteger(L, -2)) {
      lua_Integer key = lua_tointeger(L, -2);
      in_sequence = key >= 1 && (lua_Unsigned)key <= n;
    }
    if (!in_sequence) {
      int key_type = lua_type(L, -2);
      if (key_type != LUA_TSTRING && key_type != LUA_TNUMBER && key_type != LUA_TBOOLEAN)
        lb_raise(L, "bad_argument", "a table's keys must be strings or numbers, not %s", lb_type_name(L, -2));
      lb_read_nested(L, lua_gettop(L) - 1, tape, flags, depth + 1);
      lb_read_nested(L, lua_gettop(L), tape, flags, depth + 1);
    }
    lua_pop(L, 1);
    if (tape->failed) lb_raise_tape(L, tape);
  }
  lb_end_table(tape);
  if (!tape->failed) tape->items[start].count = n;
}

static void lb_read_userdata(lua_State *L, int index, lb_tape *tape, int flags, int depth) {
  uint32_t type = lb_type_at(L, index);
  if (type == LB_TYPE_NULL) {
    lb_add_null(tape);
  } else if (flags & LB_PLAIN_ONLY) {
    lb_raise(L, "bad_argument", "%s is not plain data%s", lb_type_name(L, index),
             type == LB_TYPE_VEC ? " (keep numbers, or v:get(ids))" : "");
  } else if (type == LB_TYPE_VEC) {
    lb_vec *vec = lb_check_vec(L, index, NULL);
    // Whoever reads a result, or keeps a table, may do so when the Vec is gone.
    if ((flags & LB_COPY) || depth > 0) {
      lb_add_floats(tape, vec->data, vec->count);
      return;
    }
    lb_item *item = lb_tape_append(tape, LB_VEC);
    if (item) {
      item->pointer = vec->data;
      item->count = vec->count;
    }
  } else if (type == LB_TYPE_SET) {
    const lb_set *set = lua_touserdata(L, index);
    lb_add_set(tape, (uint32_t)set->count, set->words);
  } else if (type >= LB_FIRST_HOST_TYPE) {
    void *object = lb_handle_object(L, index);
    if (object == NULL)
      lb_raise(L, "closed", "attempt to use a closed %s", lb_of(L)->type_names[type] + strlen("lacuna."));
    lb_item *item = lb_tape_append(tape, LB_HANDLE);
    if (item) {
      item->type = type;
      item->pointer = object;
    }
  } else {
    lb_raise(L, "bad_argument", "%s cannot be used here", lb_type_name(L, index));
  }
}

static void lb_hold_value(lua_State *L, int index, lb_tape *tape) {
  // The item first: a reference that has no owner would leak.
  lb_item *item = lb_tape_append(tape, LB_FUNCTION);
  if (item == NULL) return;
  size_t position = tape->count - 1;
  item->integer = LB_NO_REF;
  lua_pushvalue(L, index);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  tape->items[position].integer = ref;
}

static void lb_read_nested(lua_State *L, int index, lb_tape *tape, int flags, int depth) {
  switch (lua_type(L, index)) {
  case LUA_TNONE:
  case LUA_TNIL: lb_add_nil(tape); break;
  case LUA_TBOOLEAN: lb_add_bool(tape, lua_toboolean(L, index)); break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index)) lb_add_integer(tape, lua_tointeger(L, index));
    else lb_add_number(tape, lua_tonumber(L, index));
    break;
  case LUA_TSTRING: {
    size_t count;
    const char *bytes = lua_tolstring(L, index, &count);
    lb_add_string(tape, bytes, count);
    break;
  }
  case LUA_TTABLE: lb_read_table(L, index, tape, flags, depth); break;
  case LUA_TUSERDATA: lb_read_userdata(L, index, tape, flags, depth); break;
  case LUA_TFUNCTION:
    if (!(flags & LB_PLAIN_ONLY)) {
      lb_hold_value(L, index, tape);
      break;
    }
    // fall through
  default: lb_raise(L, "bad_argument", "%s is not plain data", lb_type_name(L, index));
  }
}

void lb_read_value(lua_State *L, int index, lb_tape *tape, int flags) {
  index = lua_absindex(L, index);
  if ((flags & LB_HOLD) && !lua_isnoneornil(L, index)) lb_hold_value(L, index, tape);
  else lb_read_nested(L, index, tape, flags, 0);
  if (tape->failed) lb_raise_tape(L, tape);
}

// --- tape to Lua -------------------------------------------------------------------------------------------------

static void lb_push_value(lua_State *L, lb_tape *tape, size_t *position, int receiver, int depth);

static int lb_room(size_t count) { return count > INT32_MAX ? INT32_MAX : (int)count; }

static void lb_push_table(lua_State *L, lb_tape *tape, size_t *position, int receiver, int depth) {
  if (depth >= LB_MAX_DEPTH + 8) luaL_error(L, "a result is nested too deeply");
  luaL_checkstack(L, 6, "result nested too deeply");
  lb_item *item = &tape->items[*position];
  size_t count = item->count;
  bool marked = item->type != 0;
  ++*position;
  if (item->kind == LB_CHANGE) lua_rawgeti(L, LUA_REGISTRYINDEX, item->integer);
  else lua_createtable(L, lb_room(count), lb_room((size_t)item->integer));
  for (size_t i = 0; i < count && *position < tape->count; i++) {
    lb_push_value(L, tape, position, receiver, depth + 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  while (*position < tape->count && tape->items[*position].kind != LB_END) {
    lb_push_value(L, tape, position, receiver, depth + 1);
    lb_push_value(L, tape, position, receiver, depth + 1);
    lua_rawset(L, -3);
  }
  ++*position;  // LB_END
  if (marked) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_array_mark);
    lua_setmetatable(L, -2);
  }
}

static void lb_push_value(lua_State *L, lb_tape *tape, size_t *position, int receiver, int depth) {
  lb_item *item = &tape->items[*position];
  switch (item->kind) {
  case LB_BOOL: lua_pushboolean(L, item->boolean); break;
  case LB_INTEGER: lua_pushinteger(L, item->integer); break;
  case LB_NUMBER: lua_pushnumber(L, item->number); break;
  case LB_STRING: lua_pushlstring(L, tape->bytes + item->offset, item->count); break;
  case LB_HANDLE: lb_push_handle(L, item->type, &item->pointer); break;
  case LB_REF:
  case LB_FUNCTION: lua_rawgeti(L, LUA_REGISTRYINDEX, item->integer); break;
  case LB_TABLE:
  case LB_CHANGE: lb_push_table(L, tape, position, receiver, depth); return;
  case LB_NULL: lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_of(L)->host); break;
  case LB_INTEGERS: {
    const int32_t *values = (const int32_t *)(const void *)(tape->bytes + item->offset);
    lua_createtable(L, (int)item->count, 0);
    for (size_t i = 0; i < item->count; i++) {
      lua_pushinteger(L, values[i]);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    break;
  }
  case LB_FLOATS: {
    const float *values = (const float *)(const void *)(tape->bytes + item->offset);
    lua_createtable(L, (int)item->count, 0);
    for (size_t i = 0; i < item->count; i++) {
      lua_pushnumber(L, values[i]);
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    break;
  }
  case LB_VEC: {
    lb_vec *vec = lb_push_vec(L, item->count);
    memcpy(vec->data, item->pointer, item->count * sizeof(float));
    lb_release_owner(lb_of(L), item);
    break;
  }
  case LB_VIEW: {
    lb_view_origin origin;
    memcpy(&origin, tape->bytes + item->origin_offset, sizeof origin);
    lb_push_view(L, item, origin.stamp);
    if (origin.anchor != NULL && lb_push_known_handle(L, origin.anchor)) lua_setiuservalue(L, -2, 1);
    break;
  }
  case LB_ERROR: {
    const char *code = tape->bytes + item->offset;
    lb_push_error(L, L, 1, code, code + strlen(code) + 1);
    break;
  }
  case LB_SET: {
    lb_set *set = lb_push_set(L, item->type);
    if (item->count > 0) memcpy(set->words, tape->bytes + item->offset, item->count * sizeof *set->words);
    break;
  }
  case LB_RNG: {
    const uint64_t *words = (const uint64_t *)(const void *)(tape->bytes + item->offset);
    lb_push_rng(L, words[0], words[1])->position = words[2];
    break;
  }
  case LB_RECEIVER:
    if (receiver != 0) lua_pushvalue(L, receiver);
    else lua_pushnil(L);
    break;
  default: lua_pushnil(L); break;
  }
  ++*position;
}

int lb_push_tape(lua_State *L, lb_tape *tape, int receiver) {
  if (tape->failed) lb_raise_tape(L, tape);
  int pushed = 0;
  for (size_t position = 0; position < tape->count; pushed++) {
    luaL_checkstack(L, 8, "too many results");
    lb_push_value(L, tape, &position, receiver, 0);
  }
  return pushed;
}
