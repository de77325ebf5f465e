// Shared by the bridge's files; the only place, beside them, that sees lua.h.
#ifndef LB_INTERNAL_H
#define LB_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // sigset_t, pthread_getattr_np
#endif

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>

#include "CLuaBridge.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

// Types that C implements itself; the host's begin at LB_FIRST_HOST_TYPE.
enum { LB_TYPE_NONE = 0, LB_TYPE_VEC = 1, LB_TYPE_SET = 2, LB_TYPE_RNG = 3, LB_TYPE_NULL = 4,
       LB_FIRST_HOST_TYPE = LB_FIRST_TYPE, LB_MAX_TYPES = 32 };

enum { LB_MAX_ARGUMENTS = 8, LB_MAX_TAPE_ITEMS = 1 << 24, LB_NAME_BYTES = 48 };

typedef struct {
  uint32_t kinds;  // bits of lb_kind, and LB_ANY
  uint32_t types;  // bits of type numbers
  bool optional;
  bool held;  // wanted by reference
} lb_parameter;

typedef struct lb_function {
  struct lb_function *next;
  int32_t number;
  int parameter_count;
  bool variadic;
  char name[LB_NAME_BYTES];   // "encode"
  char owner[LB_NAME_BYTES];  // "lacuna.model"
  lb_parameter parameters[LB_MAX_ARGUMENTS];
} lb_function;

typedef struct lb_arena lb_arena;

// Where a limit leaves to: the innermost call from the host.
typedef struct {
  jmp_buf buffer;
} lb_exit;

// What a state holds of the host's or of C's memory, inside one of Lua's userdata; so that it can be let go without
// asking Lua for it.
typedef struct lb_resource {
  struct lb_resource *next, **link;
  void (*drop)(lb_state *state, struct lb_resource *resource);
} lb_resource;

struct lb_state {
  lua_State *main;
  // The coroutine that runs; read by the signal handler on this same thread.
  lua_State *volatile running;
  // The coroutine of lb_go_on that runs, without a call of the host's in between; NULL for none.
  lua_State *turn;
  lb_call_frame *waiting;  // of the call that the coroutine was left in
  lb_host host;

  size_t used, peak, cap;
  uint64_t allocations, fail_after;
  int64_t live_objects;
  uint64_t seed;  // of math.random

  uint32_t type_count;
  char type_names[LB_MAX_TYPES][LB_NAME_BYTES];
  lb_function *functions;

  // References dropped while Lua was in the middle of something; released at the next safe point.
  lb_ref *dropped;
  size_t dropped_count, dropped_room;

  // Last failure: the value, and copies of its text in one block.
  lb_ref failure;
  char *failure_text[4];

  atomic_bool interrupted;
  // Guards `thread` and `active` against lb_interrupt.
  pthread_mutex_t lock;
  pthread_t thread;
  int active;
  sigset_t signals_before;  // of the thread, while it runs this state

  lb_resource *resources;
  lb_tape *spare_tapes;  // at most LB_SPARE_TAPES, empty
  int spare_tape_count;

  // Of a sandboxed state; elsewhere the arena is NULL and the rest unused.
  lb_arena *arena;
  lb_limits limits;
  _Atomic lb_limit limit;  // that was exceeded
  char limit_place[LUA_IDSIZE + 16];
  lb_exit *exit;           // NULL while the host's code runs, which may not be jumped over
  size_t output;           // bytes passed on so far
  size_t collect_at;       // bytes in use at which a collection is due
  bool wants_collection, is_collecting;
  int close_depth;         // coroutines being closed inside one another
  int call_depth;          // lb_begin_call, and the outermost entry
  // Guarded by the watchdog's lock. Zero: none.
  uint64_t call_deadline;  // of the monotonic clock
  uint64_t step_deadline;  // of the thread's processor time, or of the monotonic clock where there is none
  clockid_t step_clock;
  lb_state *watched_next, **watched_link;
};

struct lb_tape {
  lb_state *state;
  lb_item *items;
  size_t count, room;
  char *bytes;
  size_t byte_count, byte_room;
  bool failed;    // an append found no memory
  bool too_large; // and that because of the limit on what may cross
  bool from_lua;  // handles are borrowed, functions owned
  lb_tape *next_spare;
};

struct lb_call_frame {
  lb_resource resource;
  lb_tape arguments, results;
  const lb_function *function;
  int32_t bad_argument;  // 0: none
  lb_ref rethrown;
  void *waiting;  // what the call waits for, owned; NULL for one that does not wait
  char *code, *message;  // of the failure
};

// What a view's item has among the tape's bytes.
typedef struct {
  const void *anchor;
  uint64_t stamp;
} lb_view_origin;

struct lb_source {
  const uint64_t *epoch;  // NULL once closed
  uint64_t own;
  size_t references;
};

// --- arena.c
// NULL without address space. Pages are taken as they are touched.
lb_arena *lb_arena_make(size_t bytes);
// NULL where nothing is left; the old block stays then. Blocks are aligned to 8 bytes.
void *lb_arena_reallocate(lb_arena *arena, void *block, size_t size);
void lb_arena_free(lb_arena *arena, void *block);
void lb_arena_close(lb_arena *arena);

static inline lb_state *lb_of(lua_State *L) { return *(lb_state **)lua_getextraspace(L); }

// --- state.c
// Memory of tapes, counted with Lua's own. NULL beyond the cap.
void *lb_reallocate(lb_state *state, void *block, size_t old_size, size_t new_size);
// Runs body(L, context) in a protected call on the running coroutine.
lb_status lb_protect(lb_state *state, int (*body)(lua_State *), void *context);
void lb_drain_dropped(lb_state *state);

void lb_keep_resource(
  lb_state *state, lb_resource *resource, void (*drop)(lb_state *state, lb_resource *resource));
void lb_forget_resource(lb_resource *resource);

// --- limit.c
static inline bool lb_is_sandboxed(const lb_state *state) { return state->arena != NULL; }
static inline lb_limit lb_limit_of(const lb_state *state) {
  return atomic_load_explicit(&state->limit, memory_order_relaxed);
}
// Leaves to the host's call. From code that Lua called, never from the host's.
_Noreturn void lb_leave_script(lb_state *state);
// What every loop in C that may be long has to call: raises, or leaves, when the script is to stop.
void lb_poll(lua_State *L);
// Collects garbage if `bytes` more would not fit: a limit ends the state, so the room is made first.
void lb_make_room(lua_State *L, size_t bytes);
bool lb_watch(lb_state *state);  // false: no thread
void lb_unwatch(lb_state *state);
// lb_begin_call for one of several turns of a call, which share a deadline.
void lb_begin_turn(lb_state *state, uint64_t *deadline);
void lb_start_step(lb_state *state, uint64_t *before);
void lb_end_step(lb_state *state, uint64_t before);

// --- sandbox.c
// Registry: where `require` of a sandboxed state looks.
#define LB_FOLDER_FIELD "lacuna.folder"
// Registry: name -> frozen module.
#define LB_MODULES_FIELD "lacuna.modules"
void lb_open_sandbox(lua_State *L);
// Raises unless it is text of a size that may be compiled.
void lb_check_source(lua_State *L, const char *bytes, size_t count, const char *name);
// The real table of globals, frozen or not.
void lb_push_globals(lua_State *L);
// luaL_tolstring without addresses; refuses nothing.
const char *lb_push_text(lua_State *L, int index, size_t *count);
bool lb_is_frozen(lua_State *L, int index);
// Pushes the real table behind a frozen one and returns true, or pushes nothing.
bool lb_push_frozen(lua_State *L, int index);
_Noreturn void lb_refuse_write(lua_State *L, int table, int key);
void lb_open_sandbox_base(lua_State *L);
void lb_open_sandbox_string(lua_State *L);
void lb_open_sandbox_table(lua_State *L);
void lb_open_sandbox_clock(lua_State *L);
void lb_open_patterns(lua_State *L);

// --- tape.c
void lb_tape_init(lb_tape *tape, lb_state *state, bool from_lua);
void lb_tape_release(lb_tape *tape);
void lb_free_spare_tapes(lb_state *state);
lb_item *lb_tape_append(lb_tape *tape, lb_kind kind);
// Of an LB_VEC on its way to Lua.
void lb_release_owner(lb_state *state, lb_item *item);
void lb_source_drop(lb_source *source);
// Raises what a failed tape failed with.
_Noreturn void lb_raise_tape(lua_State *L, const lb_tape *tape);
bool lb_tape_append_bytes(lb_tape *tape, const void *bytes, size_t count, size_t *offset);

// --- marshal.c
// LB_HOLD: anything but nil becomes a reference. LB_COPY: no Vec is borrowed.
enum { LB_PLAIN_ONLY = 1, LB_HOLD = 2, LB_COPY = 4 };
// Appends the value at `index`. Raises for what cannot cross.
void lb_read_value(lua_State *L, int index, lb_tape *tape, int flags);
// Pushes every value of the tape; returns how many. receiver: stack index for LB_RECEIVER, or 0.
int lb_push_tape(lua_State *L, lb_tape *tape, int receiver);
extern const char lb_array_mark;  // registry key of the metatable that marks arrays

// --- error.c
// Raises { code, message, where, traceback }.
// format: lua_pushfstring's, so %I for a lua_Integer.
_Noreturn void lb_raise(lua_State *L, const char *code, const char *format, ...);
// "bad argument #1 to 'name' (message)", counted as Lua counts methods' arguments.
_Noreturn void lb_raise_argument(lua_State *L, int argument, const char *name, const char *message);
_Noreturn void lb_raise_type(lua_State *L, int argument, const char *name, const char *expected);
// Pushes an error table whose `where` is the function at `level` of the coroutine `from`.
void lb_push_error(lua_State *L, lua_State *from, int level, const char *code, const char *message);
bool lb_is_error(lua_State *L, int index);
int lb_message_handler(lua_State *L);
void lb_open_errors(lua_State *L);
// Pushes the message handler's record of the error at one index, which ended the coroutine at the other.
void lb_push_failure(lua_State *L, int error, int thread);
// Protected: keeps the message handler's record at index 1 as the state's last failure.
int lb_record_failure(lua_State *L);
const char *lb_type_name(lua_State *L, int index);

// --- handle.c
// Type number of the userdata at index, or LB_TYPE_NONE for anything else.
uint32_t lb_type_at(lua_State *L, int index);
// Its object, or NULL if it was closed.
void *lb_handle_object(lua_State *L, int index);
// Moves *object (which becomes NULL) into the script's handle for it.
void lb_push_handle(lua_State *L, uint32_t type, void **object);
// Pushes the live handle of an object and returns true, or pushes nothing.
bool lb_push_known_handle(lua_State *L, const void *object);
void lb_new_metatable(lua_State *L, uint32_t type, const char *name);
void lb_open_handles(lua_State *L);
// The nearest string key of the table to `name`, within 2 edits; NULL if none is near.
const char *lb_nearest_key(lua_State *L, int table, const char *name);
_Noreturn void lb_raise_no_field(lua_State *L);

// --- signature.c
bool lb_parse_signature(lb_state *state, const char *text, lb_function *out);
void lb_check_arguments(lua_State *L, const lb_function *function);

// Slots of stack that a script and each coroutine have before it has to be moved. Debian's liblua 5.4.4 keeps a pointer
// into the old one when a __concat handler makes it move.
enum { LB_STACK_ROOM = 16384, LB_TURN_STACK_ROOM = 1024, LB_COROUTINE_STACK_ROOM = 256 };

// --- call.c
int lb_trampoline(lua_State *L);
// Calls the host for the frame at index given + 1: its function, or what completes it. Its results are left on its tape.
int lb_call_host(lua_State *L, lb_call_frame *frame, bool completes);
void lb_frame_clear(lb_call_frame *frame);
// Pushes what the host call has left, or raises.
int lb_finish_call(lua_State *L, lb_call_frame *frame, int status, int given);
void lb_open_calls(lua_State *L);

// --- turn.c
// Leaves the coroutine that runs while the host call of `frame` waits, or completes it at once. given: arguments below the
// frame.
int lb_wait(lua_State *L, lb_call_frame *frame, int given);
// Whether a coroutine was left in a host call that waits.
bool lb_is_waiting(lua_State *co);

// --- interrupt.c
void lb_open_coroutines(lua_State *L);
// Closes what `co` has pending, on co; the error that remains is on its top. Returns co's status.
int lb_reset_thread(lua_State *L, lua_State *co);
// One for each call from the host that runs. A state may be among the calls of a thread more than once: beneath a host
// call of its own, with others between.
typedef struct lb_activation {
  lb_state *state;
  struct lb_activation *outer;  // what this one runs inside of, on the same thread; NULL for nothing
} lb_activation;
void lb_enter(lb_state *state, lb_activation *here);
void lb_leave(lb_activation *here);
// Makes the hook look in at the running coroutine's next instruction. On the state's thread, from anywhere.
void lb_arm(lua_State *L);
// Arms if somebody asked the state to stop.
void lb_arm_if_asked(lb_state *state, lua_State *L);
// Whether the state, or one whose host call it runs inside of, was asked to stop.
bool lb_asked(const lb_state *state);

// --- vec*.c, set.c, rng.c
typedef struct {
  lb_resource resource;  // while there is a source
  float *data;
  size_t count;
  bool is_view;          // false: the floats follow in this userdata
  lb_source *source;     // of a view; NULL once that is finalized
  uint64_t stamp;        // the source's epoch that a view belongs to
  bool writable;
} lb_vec;
typedef struct {
  size_t count;  // ids 0..<count
  uint64_t words[];
} lb_set;
typedef struct {
  uint64_t seed, stream, position;
} lb_rng;

lb_vec *lb_check_vec(lua_State *L, int argument, const char *name);
lb_vec *lb_check_writable(lua_State *L, int argument, const char *name);
// An owned one, uninitialised, on the top of the stack.
lb_vec *lb_push_vec(lua_State *L, size_t count);
void lb_push_view(lua_State *L, const lb_item *item, uint64_t stamp);
lb_set *lb_check_set(lua_State *L, int argument, const char *name, size_t count);
lb_set *lb_push_set(lua_State *L, size_t count);  // empty
lb_rng *lb_check_rng(lua_State *L, int argument, const char *name);
lb_rng *lb_push_rng(lua_State *L, uint64_t seed, uint64_t stream);

// Room for ids and values, rising and falling together, on top of the stack.
typedef struct {
  int32_t *ids;
  float *values;
} lb_ranked;
lb_ranked lb_push_ranked(lua_State *L, size_t capacity);
int lb_push_ranking(lua_State *L, lb_ranked ranked, size_t count);  // ids, values

void lb_rng_draw(lua_State *L, lb_rng *rng, double *out, size_t n);
double lb_check_number(lua_State *L, int argument, const char *name);
double lb_opt_number(lua_State *L, int argument, const char *name, double absent);
lua_Integer lb_check_integer(lua_State *L, int argument, const char *name, lua_Integer least, lua_Integer most);
void lb_open_vec(lua_State *L);
void lb_open_vec_reduce(lua_State *L);
void lb_open_vec_change(lua_State *L);
void lb_open_vec_draw(lua_State *L);
void lb_open_set(lua_State *L);
void lb_open_rng(lua_State *L);
// Pushes the module's table, made if need be; "lacuna.json" is also a field of "lacuna".
void lb_push_module(lua_State *L, const char *name);

#endif
