// A state: its memory, its life, its modules.
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Room for `extra` more bytes, by cap and by fault injection.
static bool lb_grant(lb_state *state, size_t extra) {
  state->allocations++;
  if (state->fail_after == 0) return false;
  if (state->cap != 0 && (extra > state->cap || state->used > state->cap - extra)) return false;
  if (state->fail_after != UINT64_MAX) state->fail_after--;
  return true;
}

static void *lb_raw_reallocate(lb_state *state, void *block, size_t size) {
  if (!lb_is_sandboxed(state)) return realloc(block, size);
  return lb_arena_reallocate(state->arena, block, size);
}

void *lb_reallocate(lb_state *state, void *block, size_t old_size, size_t new_size) {
  if (new_size == 0) {
    if (lb_is_sandboxed(state)) lb_arena_free(state->arena, block);
    else free(block);
    state->used -= old_size;
    return NULL;
  }
  if (new_size > old_size && !lb_grant(state, new_size - old_size)) return NULL;
  void *result = lb_raw_reallocate(state, block, new_size);
  if (result == NULL) {
    // Lua assumes that shrinking cannot fail; the old block is large enough.
    return new_size <= old_size ? block : NULL;
  }
  state->used += new_size;
  state->used -= old_size;
  if (state->used > state->peak) state->peak = state->used;
  return result;
}

static void *lb_lua_allocator(void *context, void *block, size_t old_size, size_t new_size) {
  lb_state *state = context;
  // For a new block Lua passes the kind of object as the old size.
  if (block == NULL) old_size = 0;
  void *result = lb_reallocate(state, block, old_size, new_size);
  if (!lb_is_sandboxed(state) || new_size <= old_size || state->exit == NULL) return result;
  if (result == NULL) {
    // Instead of an emergency collection, in the midst of which liblua before 5.4.8 can free what it is writing to.
    lb_exceed(state, LB_LIMIT_MEMORY);
    lb_leave_script(state);
  }
  // Garbage is collected where Lua is between two instructions.
  if (state->used > state->collect_at && !state->wants_collection && !state->is_collecting) {
    state->wants_collection = true;
    lb_arm(state->running);
  }
  return result;
}

static int lb_panic(lua_State *L) {
  // Unreachable unless the bridge itself calls Lua unprotected.
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "lacuna: unprotected Lua error (a defect of Lacuna): %s\n", message ? message : "?");
  abort();
}

// --- print ---------------------------------------------------------------------------------------------------

static void lb_write_all(lb_state *state, const char *bytes, size_t count, bool flush) {
  if (state->host.write) {
    state->host.write(state->host.context, bytes, count);
  } else {
    fwrite(bytes, 1, count, stdout);
    if (flush) fflush(stdout);
  }
}

static void lb_write_out(lb_state *state, const char *bytes, size_t count, bool flush) {
  static const char notice[] = "\n[more output was left out]\n";
  if (lb_is_sandboxed(state)) {
    size_t most = state->limits.output > sizeof notice ? state->limits.output - sizeof notice : 0;
    if (state->output > most) return;
    bool fits = count <= most - state->output;
    if (!fits) count = most - state->output;
    state->output += count;
    if (!fits) {
      state->output = SIZE_MAX;
      if (count > 0) lb_write_all(state, bytes, count, false);
      bytes = notice;
      count = sizeof notice - 1;
    }
  }
  lb_write_all(state, bytes, count, flush);
}

static int lb_print(lua_State *L) {
  int n = lua_gettop(L);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int i = 1; i <= n; i++) {
    if (i > 1) luaL_addchar(&buffer, '\t');
    lb_push_text(L, i, NULL);
    luaL_addvalue(&buffer);
  }
  luaL_addchar(&buffer, '\n');
  luaL_pushresult(&buffer);
  size_t count;
  const char *bytes = lua_tolstring(L, -1, &count);
  lb_write_out(lb_of(L), bytes, count, false);
  return 0;
}

// lacuna.write(...): strings and numbers as they are, at once.
static int lb_write(lua_State *L) {
  int n = lua_gettop(L);
  for (int i = 1; i <= n; i++) {
    if (lua_type(L, i) != LUA_TSTRING && lua_type(L, i) != LUA_TNUMBER)
      lb_raise_type(L, i, "write", "string or number");
    size_t count;
    const char *bytes = lua_tolstring(L, i, &count);
    lb_write_out(lb_of(L), bytes, count, i == n);
  }
  return 0;
}

// --- modules ---------------------------------------------------------------------------------------------------

void lb_push_module(lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (!luaL_getsubtable(L, -1, name)) {
    const char *dot = strrchr(name, '.');
    if (dot != NULL) {
      lua_pushlstring(L, name, (size_t)(dot - name));
      lb_push_module(L, lua_tostring(L, -1));
      lua_pushvalue(L, -3);
      lua_setfield(L, -2, dot + 1);
      lua_pop(L, 2);
    }
  }
  lua_remove(L, -2);
}

static int lb_open_all(lua_State *L) {
  if (!lb_is_sandboxed(lb_of(L))) luaL_openlibs(L);
  else lb_open_sandbox(L);
  lua_pushcfunction(L, lb_print);
  lua_setglobal(L, "print");
  lb_open_errors(L);
  lb_open_handles(L);
  lb_open_calls(L);
  lb_open_coroutines(L);
  lb_open_vec(L);
  lb_open_set(L);
  lb_open_rng(L);
  lb_push_module(L, "lacuna");
  lua_pushcfunction(L, lb_write);
  lua_setfield(L, -2, "write");
  return 0;
}

static lb_status lb_run_protected(lb_state *state, int (*body)(lua_State *), void *context) {
  lua_State *L = state->running;
  lb_drain_dropped(state);
  if (!lua_checkstack(L, 8)) return LB_NO_MEMORY;
  lb_status status = LB_NO_MEMORY;
  int top = lua_gettop(L);
  lua_pushcfunction(L, lb_message_handler);
  lua_pushcfunction(L, body);
  lua_pushlightuserdata(L, context);
  int result = lua_pcall(L, 1, 0, top + 1);
  if (result == LUA_OK) {
    status = LB_OK;
  } else if (result != LUA_ERRMEM) {
    // Holding the error needs memory as well; where there is none, that is what is reported.
    lua_pushcfunction(L, lb_record_failure);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) status = LB_FAILED;
  }
  lua_settop(L, top);
  return status;
}

lb_status lb_protect(lb_state *state, int (*body)(lua_State *), void *context) {
  if (lb_limit_of(state) != LB_LIMIT_NONE) return LB_ENDED;
  lb_activation activation;
  lb_enter(state, &activation);
  lb_status status;
  // Below the host's call nothing can be left: its frames are in the way.
  lua_State *volatile turn = state->turn;
  state->turn = NULL;
  if (!lb_is_sandboxed(state)) {
    status = lb_run_protected(state, body, context);
  } else {
    lb_exit here, *volatile outer = state->exit;
    lua_State *volatile running = state->running;
    volatile int depth = state->close_depth;
    state->exit = &here;
    if (_setjmp(here.buffer) == 0) status = lb_run_protected(state, body, context);
    else status = LB_ENDED;
    state->exit = outer;
    state->running = running;
    state->close_depth = depth;
    // A limit that was reached in the last instructions counts: the caller is told of it now rather than next time.
    if (lb_limit_of(state) != LB_LIMIT_NONE) status = LB_ENDED;
  }
  state->turn = turn;
  lb_leave(&activation);
  return status;
}

// --- life --------------------------------------------------------------------------------------------------------

// Frees what is C's of a state without its Lua.
static void lb_discard(lb_state *state) {
  if (lb_is_sandboxed(state)) lb_arena_close(state->arena);
  pthread_mutex_destroy(&state->lock);
  free(state);
}

static lb_state *lb_make(const lb_host *host, const lb_limits *limits, size_t memory_cap, uint64_t seed) {
  lb_state *state = calloc(1, sizeof *state);
  if (state == NULL) return NULL;
  state->host = *host;
  state->cap = memory_cap;
  state->fail_after = UINT64_MAX;
  state->type_count = LB_FIRST_HOST_TYPE;
  state->failure = LB_NO_REF;
  state->seed = seed;
  atomic_init(&state->interrupted, false);
  atomic_init(&state->limit, LB_LIMIT_NONE);
  pthread_mutex_init(&state->lock, NULL);
  if (limits != NULL) {
    state->limits = *limits;
    state->collect_at = memory_cap / 2;
    // What the blocks' headers and the gaps between them may cost, before the cap would not be the bound any more.
    if (memory_cap <= SIZE_MAX / 2) state->arena = lb_arena_make(memory_cap + memory_cap / 2);
    if (state->arena == NULL) {
      lb_discard(state);
      return NULL;
    }
  }
  state->main = lua_newstate(lb_lua_allocator, state);
  if (state->main == NULL || (limits != NULL && !lb_watch(state))) {
    lb_discard(state);
    return NULL;
  }
  state->running = state->main;
  *(lb_state **)lua_getextraspace(state->main) = state;
  lua_atpanic(state->main, lb_panic);
  if (lb_protect(state, lb_open_all, NULL) != LB_OK) {
    lb_state_close(state);
    return NULL;
  }
  return state;
}

lb_state *lb_state_make(const lb_host *host, size_t memory_cap, uint64_t seed) {
  return lb_make(host, NULL, memory_cap, seed);
}

lb_state *lb_sandbox_make(const lb_host *host, const lb_limits *limits, uint64_t seed) {
  return lb_make(host, limits, limits->memory, seed);
}

void lb_state_close(lb_state *state) {
  if (state == NULL) return;
  state->fail_after = UINT64_MAX;
  if (lb_is_sandboxed(state)) {
    lb_unwatch(state);
    while (state->resources != NULL) {
      lb_resource *resource = state->resources;
      lb_forget_resource(resource);
      resource->drop(state, resource);
    }
  } else {
    state->cap = 0;  // finalizers may allocate, and nobody could act on a refusal any more
    lb_activation activation;
    lb_enter(state, &activation);
    lua_close(state->main);
    state->main = NULL;
    lb_leave(&activation);
  }
  lb_free_spare_tapes(state);
  for (lb_function *f = state->functions; f != NULL;) {
    lb_function *next = f->next;
    free(f);
    f = next;
  }
  for (int i = 0; i < 4; i++) free(state->failure_text[i]);
  free(state->dropped);
  lb_discard(state);
}

void lb_keep_resource(
  lb_state *state, lb_resource *resource, void (*drop)(lb_state *state, lb_resource *resource)) {
  resource->drop = drop;
  resource->next = state->resources;
  resource->link = &state->resources;
  if (resource->next) resource->next->link = &resource->next;
  state->resources = resource;
}

void lb_forget_resource(lb_resource *resource) {
  if (resource->link == NULL) return;
  *resource->link = resource->next;
  if (resource->next) resource->next->link = resource->link;
  resource->link = NULL;
}

lb_memory lb_state_memory(const lb_state *state) {
  return (lb_memory){state->used, state->peak, state->cap, state->allocations, state->live_objects};
}

void lb_fail_after(lb_state *state, uint64_t count) { state->fail_after = count; }

static int lb_collect_body(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCCOLLECT);  // what the first round's finalizers let go of
  return 0;
}

void lb_collect(lb_state *state) { (void)lb_protect(state, lb_collect_body, NULL); }

// --- references --------------------------------------------------------------------------------------------------

void lb_release(lb_state *state, lb_ref ref) {
  if (ref < 0) return;
  if (state->dropped_count == state->dropped_room) {
    size_t room = state->dropped_room ? state->dropped_room * 2 : 16;
    lb_ref *list = realloc(state->dropped, room * sizeof *list);
    if (list == NULL) return;  // the value stays until the state closes
    state->dropped = list;
    state->dropped_room = room;
  }
  state->dropped[state->dropped_count++] = ref;
}

void lb_drain_dropped(lb_state *state) {
  lua_State *L = state->running;
  if (state->dropped_count == 0 || !lua_checkstack(L, 4)) return;
  // luaL_unref only writes existing integer keys: it neither allocates nor raises.
  for (size_t i = 0; i < state->dropped_count; i++) luaL_unref(L, LUA_REGISTRYINDEX, state->dropped[i]);
  state->dropped_count = 0;
}

// --- fields ------------------------------------------------------------------------------------------------------

typedef struct {
  const char *module, *name;
  lb_tape *tape;
} lb_assignment;

static int lb_set_field_body(lua_State *L) {
  lb_assignment *a = lua_touserdata(L, 1);
  if (a->module) lb_push_module(L, a->module);
  else lb_push_globals(L);
  if (lb_push_tape(L, a->tape, 0) == 0) lua_pushnil(L);
  lua_setfield(L, -2, a->name);
  return 0;
}

lb_status lb_set_field(lb_state *state, const char *module, const char *name, lb_tape *value) {
  lb_assignment a = {module, name, value};
  return lb_protect(state, lb_set_field_body, &a);
}

lb_status lb_set_global(lb_state *state, const char *name, lb_tape *value) {
  return lb_set_field(state, NULL, name, value);
}

static int lb_search_body(lua_State *L) {
  const char *folder = lua_touserdata(L, 1);
  if (lb_is_sandboxed(lb_of(L))) {
    lua_pushstring(L, folder);
    lua_setfield(L, LUA_REGISTRYINDEX, LB_FOLDER_FIELD);
    return 0;
  }
  lua_getglobal(L, "package");
  if (!lua_istable(L, -1)) return 0;
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder, folder, luaL_optstring(L, -1, ""));
  lua_setfield(L, -3, "path");
  return 0;
}

lb_status lb_set_search_folder(lb_state *state, const char *folder) {
  return lb_protect(state, lb_search_body, (void *)folder);
}

const char *lb_library_ident(void) { return lua_ident; }
