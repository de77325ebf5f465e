// Limits: how a sandboxed script is stopped, and the thread that watches the time.
//
// A state that exceeds a limit is left by a jump from wherever Lua is to the host's call, over frames of C and Lua
// only, and never entered again. What Lua was in the middle of does not matter then: its memory is given back whole.
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

// No Lua function is entered and nothing is allocated: Lua may be in the middle of anything.
static void lb_note_place(lb_state *state) {
  lua_Debug ar;
  if (state->limit_place[0] != 0) return;
  for (int level = 0; lua_getstack(state->running, level, &ar); level++) {
    lua_getinfo(state->running, "Sl", &ar);
    if (ar.currentline <= 0) continue;
    snprintf(state->limit_place, sizeof state->limit_place, "%s:%d", ar.short_src, ar.currentline);
    return;
  }
}

_Noreturn void lb_leave_script(lb_state *state) {
  lb_note_place(state);
  longjmp(state->exit->buffer, 1);
}

const char *lb_limit_place(const lb_state *state) { return state->limit_place; }

void lb_poll(lua_State *L) {
  lb_state *state = lb_of(L);
  if (lb_limit_of(state) != LB_LIMIT_NONE && state->exit != NULL) lb_leave_script(state);
  if (lb_asked(state)) lb_raise(L, "cancelled", "interrupted");
}

void lb_exceed(lb_state *state, lb_limit limit) {
  // The first one is what the script is told about.
  lb_limit none = LB_LIMIT_NONE;
  atomic_compare_exchange_strong(&state->limit, &none, limit);
}

lb_limit lb_state_limit(const lb_state *state) { return atomic_load(&state->limit); }

bool lb_should_return(const lb_state *state) { return lb_asked(state) || lb_limit_of(state) != LB_LIMIT_NONE; }

void lb_make_room(lua_State *L, size_t bytes) {
  lb_state *state = lb_of(L);
  if (!lb_is_sandboxed(state) || bytes > state->limits.memory) return;
  if (state->used > state->limits.memory - bytes) lua_gc(L, LUA_GCCOLLECT);
}

// --- the watchdog ------------------------------------------------------------------------------------------------

static pthread_mutex_t lb_watch_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t lb_watch_changed;
static lb_state *lb_watched;
static uint64_t lb_next_look = UINT64_MAX;  // when the thread wakes by itself

// A signal can arrive where the hook that it arms is lost, and a script can be in a host call: so it is repeated.
static const uint64_t LB_REPEAT_NS = 5 * 1000 * 1000;

static uint64_t lb_clock(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) return 0;
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static bool lb_beyond(uint64_t deadline, uint64_t now, uint64_t *look) {
  if (deadline == 0) return false;
  if (deadline <= now) return true;
  // `look` counts on the monotonic clock; processor time runs no faster than that.
  if (deadline - now < *look) *look = deadline - now;
  return false;
}

// How long until it needs another look, in nanoseconds. Holds the lock.
static uint64_t lb_look_at(lb_state *state, uint64_t now) {
  uint64_t look = UINT64_MAX;
  if (lb_beyond(state->call_deadline, now, &look)) lb_exceed(state, LB_LIMIT_CALL);
  else if (
    state->step_deadline != 0 && lb_beyond(state->step_deadline, lb_clock(state->step_clock), &look))
    lb_exceed(state, LB_LIMIT_STEP);
  if (lb_limit_of(state) == LB_LIMIT_NONE) return look;
  pthread_mutex_lock(&state->lock);
  bool runs = state->active > 0;
  if (runs) pthread_kill(state->thread, SIGURG);
  pthread_mutex_unlock(&state->lock);
  return runs ? LB_REPEAT_NS : UINT64_MAX;
}

static void *lb_watch_body(void *unused) {
  (void)unused;
  pthread_mutex_lock(&lb_watch_lock);
  for (;;) {
    uint64_t now = lb_clock(CLOCK_MONOTONIC), look = UINT64_MAX;
    for (lb_state *state = lb_watched; state != NULL; state = state->watched_next) {
      uint64_t wanted = lb_look_at(state, now);
      if (wanted < look) look = wanted;
    }
    if (look == UINT64_MAX) {
      lb_next_look = UINT64_MAX;
      pthread_cond_wait(&lb_watch_changed, &lb_watch_lock);
      continue;
    }
    lb_next_look = now + look;
    struct timespec until = {
      (time_t)(lb_next_look / UINT64_C(1000000000)), (long)(lb_next_look % UINT64_C(1000000000))};
#if defined(__APPLE__)
    struct timespec wait = {(time_t)(look / UINT64_C(1000000000)), (long)(look % UINT64_C(1000000000))};
    (void)until;
    pthread_cond_timedwait_relative_np(&lb_watch_changed, &lb_watch_lock, &wait);
#else
    pthread_cond_timedwait(&lb_watch_changed, &lb_watch_lock, &until);
#endif
  }
  return NULL;
}

static bool lb_has_watchdog;

static void lb_start_watchdog(void) {
  pthread_condattr_t condition;
  pthread_condattr_init(&condition);
#if !defined(__APPLE__)
  pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
#endif
  pthread_cond_init(&lb_watch_changed, &condition);
  pthread_condattr_destroy(&condition);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  // Signals are for threads that do the process's work.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  lb_has_watchdog = pthread_create(&thread, &attributes, lb_watch_body, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
}

bool lb_watch(lb_state *state) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, lb_start_watchdog);
  if (!lb_has_watchdog) return false;
  pthread_mutex_lock(&lb_watch_lock);
  state->watched_next = lb_watched;
  state->watched_link = &lb_watched;
  if (lb_watched) lb_watched->watched_link = &state->watched_next;
  lb_watched = state;
  pthread_mutex_unlock(&lb_watch_lock);
  return true;
}

void lb_unwatch(lb_state *state) {
  if (state->watched_link == NULL) return;
  pthread_mutex_lock(&lb_watch_lock);
  *state->watched_link = state->watched_next;
  if (state->watched_next) state->watched_next->watched_link = state->watched_link;
  state->watched_link = NULL;
  pthread_mutex_unlock(&lb_watch_lock);
}

// `look`: when the watchdog should look at the latest, on the monotonic clock.
static void lb_set_deadline(uint64_t *deadline, uint64_t value, uint64_t look) {
  pthread_mutex_lock(&lb_watch_lock);
  *deadline = value;
  if (value != 0 && look < lb_next_look) pthread_cond_signal(&lb_watch_changed);
  pthread_mutex_unlock(&lb_watch_lock);
}

void lb_begin_call(lb_state *state) {
  if (state->call_depth++ > 0 || state->limits.call_ns == 0) return;
  uint64_t deadline = lb_clock(CLOCK_MONOTONIC) + state->limits.call_ns;
  lb_set_deadline(&state->call_deadline, deadline, deadline);
}

void lb_begin_turn(lb_state *state, uint64_t *deadline) {
  lb_begin_call(state);
  if (state->call_depth > 1) return;
  if (*deadline != 0) lb_set_deadline(&state->call_deadline, *deadline, *deadline);
  *deadline = state->call_deadline;
}

bool lb_is_late(lb_state *state, uint64_t deadline) {
  if (deadline != 0 && lb_clock(CLOCK_MONOTONIC) >= deadline) lb_exceed(state, LB_LIMIT_CALL);
  return lb_limit_of(state) != LB_LIMIT_NONE;
}

void lb_end_call(lb_state *state) {
  if (--state->call_depth > 0 || state->limits.call_ns == 0) return;
  lb_set_deadline(&state->call_deadline, 0, 0);
}

void lb_start_step(lb_state *state, uint64_t *before) {
  *before = state->step_deadline;
  if (state->limits.step_ns == 0) return;
#if defined(__APPLE__)
  state->step_clock = CLOCK_MONOTONIC;
#else
  // Processor time: a step that another process keeps from running has not used its budget.
  if (pthread_getcpuclockid(pthread_self(), &state->step_clock) != 0) state->step_clock = CLOCK_MONOTONIC;
#endif
  uint64_t deadline = lb_clock(state->step_clock) + state->limits.step_ns;
  // A step inside a step cannot have more time than that one has left.
  if (*before != 0 && *before < deadline) return;
  lb_set_deadline(&state->step_deadline, deadline, lb_clock(CLOCK_MONOTONIC) + state->limits.step_ns);
}

void lb_end_step(lb_state *state, uint64_t before) {
  if (state->step_deadline != before) lb_set_deadline(&state->step_deadline, before, 0);
}
