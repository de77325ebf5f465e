// Turns: calls from the host that can be left while a host call of theirs waits, and gone on with later.
//
// Such a call runs in a coroutine of its own. A host call that waits yields that coroutine, by a continuation, so it may
// do so below pcall, metamethods and iterators. In a coroutine that the script made itself, or below a callback of the
// host's, it is completed where it is; below a C function that cannot be left (table.sort, string.gsub) it is refused.
#include "internal.h"

#include <string.h>

// What a coroutine that waits has on its top; no script can have it.
static const char lb_wait_mark = 0;

bool lb_is_waiting(lua_State *co) {
  return lua_status(co) == LUA_YIELD && lua_gettop(co) > 0 && lua_touserdata(co, -1) == (void *)&lb_wait_mark;
}

static int lb_complete(lua_State *L, lb_call_frame *frame, int given) {
  int status = lb_call_host(L, frame, true);
  return lb_finish_call(L, frame, status, given);
}

static int lb_continue(lua_State *L, int status, lua_KContext given) {
  (void)status;
  return lb_complete(L, lua_touserdata(L, (int)given + 1), (int)given);
}

// The function in C that keeps the coroutine from being left, as far as its name is known; pushes a string.
static void lb_push_obstacle(lua_State *L) {
  lua_Debug ar;
  for (int level = 1; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sn", &ar);
    // pcall and xpcall can be left.
    if (strcmp(ar.what, "C") != 0 || ar.name == NULL || strcmp(ar.name, "pcall") == 0 || strcmp(ar.name, "xpcall") == 0)
      continue;
    lua_pushfstring(L, "inside '%s'", ar.name);
    return;
  }
  lua_pushliteral(L, "here");
}

int lb_wait(lua_State *L, lb_call_frame *frame, int given) {
  lb_state *state = lb_of(L);
  if (L != state->turn) return lb_complete(L, frame, given);
  if (!lua_isyieldable(L)) {
    lb_push_obstacle(L);
    lb_frame_clear(frame);
    lb_raise(
      L, "cannot_wait", "'%s' waits for its model, which it cannot do %s: call it before or after", frame->function->name,
      lua_tostring(L, -1));
  }
  state->waiting = frame;
  lua_pushlightuserdata(L, (void *)&lb_wait_mark);
  return lua_yieldk(L, 1, given, lb_continue);
}

// --- from the host -----------------------------------------------------------------------------------------------

typedef struct {
  lb_ref function, thread;
  lb_tape *arguments, *results;
  bool keep;
  lb_status status;
  lb_call_frame *waiting;
} lb_turn;

static int lb_start_body(lua_State *L) {
  lb_turn *turn = lua_touserdata(L, 1);
  lua_State *co = lua_newthread(L);
  (void)lua_checkstack(co, LB_TURN_STACK_ROOM);
  lua_rawgeti(L, LUA_REGISTRYINDEX, turn->function);
  int count = 1 + (turn->arguments ? lb_push_tape(L, turn->arguments, 0) : 0);
  if (!lua_checkstack(co, count)) luaL_error(L, "too many arguments");
  lua_xmove(L, co, count);
  turn->thread = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

lb_status lb_begin_turns(lb_state *state, lb_ref function, lb_tape *arguments, lb_ref *thread) {
  lb_turn turn = {.function = function, .thread = LB_NO_REF, .arguments = arguments};
  lb_status status = lb_protect(state, lb_start_body, &turn);
  *thread = turn.thread;
  return status;
}

// The coroutine at index 2 is over, for the error on the top: closes what it has pending, and notes what it failed with.
static void lb_end_turn(lua_State *L, lb_turn *turn) {
  int error = lua_gettop(L);
  lua_State *co = lua_tothread(L, 2);
  lb_push_failure(L, error, 2);
  // Closing may have failed with another error, which counts then.
  if (lb_reset_thread(L, co) != LUA_OK) {
    lua_xmove(co, L, 1);
    if (lua_rawequal(L, -1, error)) lua_pop(L, 1);
    else lb_push_failure(L, lua_gettop(L), 2);
  }
  lua_pushcfunction(L, lb_record_failure);
  lua_insert(L, -2);
  lua_call(L, 1, 0);
  turn->status = LB_FAILED;
}

static int lb_go_on_body(lua_State *L) {
  lb_turn *turn = lua_touserdata(L, 1);
  lb_state *state = lb_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, turn->thread);
  lua_State *co = lua_tothread(L, 2);
  int count = 0;
  if (lb_is_waiting(co)) lua_pop(co, 1);
  else count = lua_gettop(co) - 1;  // it has not begun: a function and its arguments
  if (count < 0) luaL_error(L, "the call has ended");
  lua_State *before = state->running;
  state->running = state->turn = co;
  lb_arm_if_asked(state, co);
  int results = 0, status = lua_resume(co, L, count, &results);
  state->running = before;
  state->turn = NULL;
  lb_arm_if_asked(state, L);
  switch (status) {
  case LUA_OK:
    luaL_checkstack(L, results, "too many results");
    lua_xmove(co, L, results);
    for (int i = 3; i < 3 + results; i++) lb_read_value(L, i, turn->results, turn->keep ? LB_HOLD : LB_COPY);
    return 0;
  case LUA_YIELD:
    if (lb_is_waiting(co)) {
      turn->waiting = state->waiting;
      turn->status = LB_WAITING;
      return 0;
    }
    lb_push_error(
      L, co, 0, "cannot_yield", "coroutine.yield outside of a coroutine of the script's own: nobody resumes it");
    lb_end_turn(L, turn);
    return 0;
  case LUA_ERRMEM:
    lb_reset_thread(L, co);
    turn->status = LB_NO_MEMORY;
    return 0;
  default:
    // Its frames stay as they were for the traceback, and the error on its top for the handlers that will be closed.
    lua_pushvalue(co, -1);
    lua_xmove(co, L, 1);
    lb_end_turn(L, turn);
    return 0;
  }
}

lb_status lb_go_on(
  lb_state *state, lb_ref thread, lb_tape *results, bool keep, uint64_t *deadline, void **waiting) {
  lb_tape_clear(results);
  results->from_lua = true;
  lb_turn turn = {.thread = thread, .results = results, .keep = keep};
  lb_begin_turn(state, deadline);
  lb_status status = lb_protect(state, lb_go_on_body, &turn);
  lb_end_call(state);
  *waiting = NULL;
  if (status != LB_OK) return status;
  if (turn.status == LB_WAITING) *waiting = turn.waiting->waiting;
  return turn.status;
}
