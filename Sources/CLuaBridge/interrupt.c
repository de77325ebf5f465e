// Stopping a script from outside.
//
// A standing count hook would slow every loop two- to threefold, so none is set until somebody asks to stop. A hook can
// only be set safely from the thread that runs Lua (lua.c does it in its signal handler), and only on the coroutine
// that runs: hence the signal, and coroutine.resume and coroutine.wrap of our own, which know which one that is.
#include "internal.h"

#include <string.h>

// Read by the signal handler on this same thread.
static _Thread_local lb_activation *volatile lb_innermost;

static bool lb_is_interrupted(const lb_state *state) {
  return atomic_load_explicit(&state->interrupted, memory_order_relaxed);
}

bool lb_asked(const lb_state *state) {
  if (lb_is_interrupted(state)) return true;
  const lb_activation *activation = lb_innermost;
  while (activation != NULL && activation->state != state) activation = activation->outer;
  if (activation == NULL) return false;
  while ((activation = activation->outer) != NULL) {
    // Whoever called this state has no time left: there is nobody to return to. Its own limit is looked at elsewhere.
    const lb_state *outer = activation->state;
    if (outer != state && (lb_is_interrupted(outer) || lb_limit_of(outer) != LB_LIMIT_NONE)) return true;
  }
  return false;
}

// Between two instructions of Lua code. Raises at once and, since it stays armed, again after any pcall.
static void lb_stop_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  lb_state *state = lb_of(L);
  lb_poll(L);
  lua_sethook(L, NULL, 0, 0);
  if (!state->wants_collection) return;
  state->wants_collection = false;
  state->is_collecting = true;
  lua_gc(L, LUA_GCCOLLECT);
  state->is_collecting = false;
  size_t room = state->used < state->limits.memory ? state->limits.memory - state->used : 0;
  size_t half = state->limits.memory / 2, next = state->used + (room / 2 > half / 8 ? room / 2 : half / 8);
  state->collect_at = next > half ? next : half;
}

// Every instruction of Lua code, and no call: a call hook would also stop the handlers that report the error.
void lb_arm(lua_State *L) { lua_sethook(L, lb_stop_hook, LUA_MASKCOUNT, 1); }

void lb_arm_if_asked(lb_state *state, lua_State *L) {
  if (lb_limit_of(state) != LB_LIMIT_NONE || lb_asked(state)) lb_arm(L);
}

static void lb_on_signal(int number) {
  (void)number;
  const lb_activation *here = lb_innermost;
  if (here != NULL) lb_arm_if_asked(here->state, here->state->running);
}

static void lb_install_handler(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = lb_on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGURG, &action, NULL);
}

// The first of the state's activations: its thread can be signalled from here on.
static void lb_begin_running(lb_state *state) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, lb_install_handler);
  // Worker threads of dispatch queues block every signal, and hand that down to the threads they start.
  sigset_t urgent;
  sigemptyset(&urgent);
  sigaddset(&urgent, SIGURG);
  pthread_sigmask(SIG_UNBLOCK, &urgent, &state->signals_before);
  pthread_mutex_lock(&state->lock);
  state->thread = pthread_self();
  state->active = 1;
  pthread_mutex_unlock(&state->lock);
}

void lb_enter(lb_state *state, lb_activation *here) {
  bool is_first = state->active == 0;
  if (is_first) lb_begin_running(state);
  else state->active++;
  *here = (lb_activation){state, lb_innermost};
  atomic_signal_fence(memory_order_release);
  lb_innermost = here;
  if (is_first && lb_is_sandboxed(state)) lb_begin_call(state);
  if (state->main != NULL) lb_arm_if_asked(state, state->running);
}

void lb_leave(lb_activation *here) {
  lb_state *state = here->state;
  bool is_last = state->active == 1;
  if (is_last && lb_is_sandboxed(state)) lb_end_call(state);
  lb_activation *outer = here->outer;
  lb_innermost = outer;
  // A signal that came while the inner one ran has armed nothing out here.
  if (outer != NULL) lb_arm_if_asked(outer->state, outer->state->running);
  if (!is_last) {
    state->active--;
    return;
  }
  // From here on lb_interrupt may not signal this thread, which may be about to end.
  pthread_mutex_lock(&state->lock);
  state->active = 0;
  pthread_mutex_unlock(&state->lock);
  pthread_sigmask(SIG_SETMASK, &state->signals_before, NULL);
}

void lb_interrupt(lb_state *state) {
  atomic_store(&state->interrupted, true);
  pthread_mutex_lock(&state->lock);
  if (state->active > 0) pthread_kill(state->thread, SIGURG);
  pthread_mutex_unlock(&state->lock);
}

bool lb_interrupted(const lb_state *state) { return lb_asked(state); }

void lb_resume(lb_state *state) {
  atomic_store(&state->interrupted, false);
  lua_sethook(state->running, NULL, 0, 0);
}

// --- coroutines that are followed --------------------------------------------------------------------------------

// Resumes co with `count` values from the top of L. Returns the number of results pushed on L, or -1 with the error
// pushed; as lcorolib does it.
static int lb_resume_thread(lua_State *L, lua_State *co, int count) {
  if (lb_is_waiting(co)) {
    lua_pushliteral(L, "cannot resume a coroutine that waits for its model");
    return -1;
  }
  if (!lua_checkstack(co, count)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, count);
  lb_state *state = lb_of(L);
  lua_State *before = state->running;
  int results = 0;
  state->running = co;
  lb_arm_if_asked(state, co);
  int status = lua_resume(co, L, count, &results);
  state->running = before;
  lb_arm_if_asked(state, L);
  if (status == LUA_OK || status == LUA_YIELD) {
    if (!lua_checkstack(L, results + 1)) {
      lua_pop(co, results);
      lua_pushliteral(L, "too many results to resume");
      return -1;
    }
    lua_xmove(co, L, results);
    return results;
  }
  lua_xmove(co, L, 1);
  return -1;
}

// Nested deeper, the handlers of a chain of coroutines would exhaust the native stack: liblua before 5.4.5 does not count.
enum { LB_MAX_CLOSING = 64 };

int lb_reset_thread(lua_State *L, lua_State *co) {
  lb_state *state = lb_of(L);
  if (state->close_depth >= LB_MAX_CLOSING)
    luaL_error(L, "error in closing coroutines: nested more than %d deep", LB_MAX_CLOSING);
  lua_State *before = state->running;
  state->close_depth++;
  state->running = co;
  lb_arm_if_asked(state, co);
  int status = lua_resetthread(co);  // its handlers run protected: it returns
  state->running = before;
  state->close_depth--;
  lb_arm_if_asked(state, L);
  return status;
}

static int lb_coroutine_resume(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (co == NULL) lb_raise_type(L, 1, "resume", "coroutine");
  int results = lb_resume_thread(L, co, lua_gettop(L) - 1);
  if (results < 0) {
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_insert(L, -(results + 1));
  return results + 1;
}

static int lb_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = lb_resume_thread(L, co, lua_gettop(L));
  if (results >= 0) return results;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    lb_reset_thread(L, co);     // closes its pending to-be-closed variables
    lua_xmove(co, L, 1);        // and leaves the error, which may be a new one
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

// A coroutine that will run the function at index 1.
static void lb_push_coroutine(lua_State *L, const char *name) {
  if (lua_type(L, 1) != LUA_TFUNCTION) lb_raise_type(L, 1, name, "function");
  lua_State *co = lua_newthread(L);
  (void)lua_checkstack(co, LB_COROUTINE_STACK_ROOM);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
}

static int lb_coroutine_create(lua_State *L) {
  lb_push_coroutine(L, "create");
  return 1;
}

static int lb_coroutine_wrap(lua_State *L) {
  lb_push_coroutine(L, "wrap");
  lua_pushcclosure(L, lb_wrapped, 1);
  return 1;
}

static int lb_coroutine_close(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (co == NULL) lb_raise_type(L, 1, "close", "coroutine");
  if (lb_is_waiting(co)) return luaL_error(L, "cannot close a coroutine that waits for its model");
  lua_Debug ar;
  int status = lua_status(co);
  // As lcorolib tells them apart: a coroutine that has frames and has not yielded runs, or waits for one that does.
  bool is_active = co == L || (status == LUA_OK && lua_getstack(co, 0, &ar) != 0);
  if (is_active) {
    const char *what = co == L ? "running" : "normal";
    return luaL_error(L, "cannot close a %s coroutine", what);
  }
  if (lb_reset_thread(L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushboolean(L, 0);
  lua_xmove(co, L, 1);
  return 2;
}

void lb_open_coroutines(lua_State *L) {
  lua_getglobal(L, "coroutine");
  lua_pushcfunction(L, lb_coroutine_resume);
  lua_setfield(L, -2, "resume");
  lua_pushcfunction(L, lb_coroutine_create);
  lua_setfield(L, -2, "create");
  lua_pushcfunction(L, lb_coroutine_wrap);
  lua_setfield(L, -2, "wrap");
  lua_pushcfunction(L, lb_coroutine_close);
  lua_setfield(L, -2, "close");
  lua_pop(L, 1);
}

size_t lb_stack_left(void) {
#if defined(__linux__)
  pthread_attr_t attributes;
  void *lowest;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  int failed = pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  if (failed) return 0;
  char here;
  return (size_t)(&here - (char *)lowest);
#elif defined(__APPLE__)
  char here;
  pthread_t self = pthread_self();
  char *highest = pthread_get_stackaddr_np(self);
  return pthread_get_stacksize_np(self) - (size_t)(highest - &here);
#else
  return 0;
#endif
}
