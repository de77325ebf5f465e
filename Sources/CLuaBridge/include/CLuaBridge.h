// Lua 5.4 for a host that cannot be jumped over.
//
// Lua raises errors with longjmp, and Swift frames may not be between the setjmp and the jump. So everything of
// lua.h stays in this target, and there are two guarded edges:
//   host -> Lua   lb_call and the other lb_status functions: a protected call in C that returns a status.
//   Lua -> host   a trampoline in C checks and copies the arguments onto a tape, calls the host, which fills a
//                 tape with results (or says what went wrong) and returns; only then does C push or raise.
// Tapes live in C's memory, owned on the Lua side by a collectable frame made before the host is called, so a
// failing push leaks nothing.
//
// A state belongs to one thread at a time. Only lb_interrupt may be called from another.
#ifndef CLUABRIDGE_H
#define CLUABRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lb_state lb_state;
typedef struct lb_tape lb_tape;
typedef struct lb_call_frame lb_call_frame;
typedef struct lb_source lb_source;

// A Lua value held by the host; LB_NO_REF is none.
typedef int32_t lb_ref;
enum { LB_NO_REF = -2 };

typedef enum {
  LB_OK = 0,
  LB_FAILED = 1,     // see lb_failure
  LB_NO_MEMORY = 2,  // the cap was hit, or the system has none
  LB_ENDED = 3,      // a sandboxed state ran into a limit, now or before: see lb_state_limit
  LB_WAITING = 4,    // of lb_go_on: a host call waits
} lb_status;

// --- values ------------------------------------------------------------------------------------------------------

// A tape is a list of values in pre-order. A table is LB_TABLE, `count` values of its sequence, then key and value in
// turn, then LB_END; LB_CHANGE is followed by keys, values and LB_END as well.
typedef enum {
  LB_NIL = 0,
  LB_BOOL,
  LB_INTEGER,
  LB_NUMBER,
  LB_STRING,    // lb_tape_bytes + offset, count bytes
  LB_HANDLE,    // type, pointer
  LB_FUNCTION,  // integer: an lb_ref; on a tape from Lua it belongs to the tape until lb_tape_take_function. Also any
                // value that was asked for by reference
  LB_TABLE,     // count, marked
  LB_END,
  LB_NULL,      // lacuna.json.null
  LB_VEC,       // pointer: floats, count of them; from Lua an argument, valid until the host call returns, to Lua kept by
                // `owner`
  LB_INTEGERS,  // a sequence of int32_t: bytes at offset, count of them; on a tape to Lua only
  LB_FLOATS,    // the same of float; on a tape from Lua a Vec in a result or in a table
  LB_VIEW,      // a Vec over the host's memory; on a tape to Lua only
  LB_REF,       // integer: an lb_ref of any value; on a tape to Lua only
  LB_CHANGE,    // integer: an lb_ref of a table, which gets fields before it is pushed; on a tape to Lua only
  LB_RECEIVER,  // the call's first argument; on a tape of results only
  LB_ERROR,     // an error table: "code", 0, "message"; on a tape to Lua only
  LB_SET,       // a TokenSet over `type` ids: count uint64_t at offset
  LB_RNG,       // seed, stream, position as uint64_t at offset; on a tape to Lua only
} lb_kind;

typedef struct {
  lb_kind kind;
  uint32_t type;  // LB_HANDLE: the type's number. LB_TABLE: 1 if marked as an array. LB_VIEW: 1 if it may be written.
  size_t count;
  union {
    bool boolean;
    int64_t integer;  // LB_TABLE to Lua: how many fields are to come
    double number;
    size_t offset;
    void *pointer;
  };
  union {
    lb_source *source;  // LB_VIEW
    void *owner;        // LB_VEC to Lua: an object of the host's, one reference, or NULL
  };
  size_t origin_offset;  // LB_VIEW
} lb_item;

// Depth of tables that may cross in either direction.
enum { LB_MAX_DEPTH = 64 };

lb_tape *lb_tape_make(lb_state *state);  // NULL without memory
void lb_tape_free(lb_tape *tape);
void lb_tape_clear(lb_tape *tape);
size_t lb_tape_count(const lb_tape *tape);  // items, not values
const lb_item *lb_tape_items(const lb_tape *tape);
const char *lb_tape_bytes(const lb_tape *tape);
// The function's reference, which is the caller's from now on.
lb_ref lb_tape_take_function(lb_tape *tape, size_t item);

// An append that finds no memory marks the tape, and whoever reads it reports that: nothing to check here.
void lb_add_nil(lb_tape *tape);
void lb_add_null(lb_tape *tape);
void lb_add_receiver(lb_tape *tape);
void lb_add_bool(lb_tape *tape, bool value);
void lb_add_integer(lb_tape *tape, int64_t value);
void lb_add_number(lb_tape *tape, double value);
void lb_add_string(lb_tape *tape, const char *bytes, size_t count);
// `object` carries one reference, which the tape owns until it is pushed.
void lb_add_handle(lb_tape *tape, uint32_t type, void *object);
// The reference stays the caller's and must outlive the push.
void lb_add_ref(lb_tape *tape, lb_ref value);
void lb_add_integers(lb_tape *tape, const int32_t *values, size_t count);
void lb_add_floats(lb_tape *tape, const float *values, size_t count);
// A Vec of the script's own. The floats are copied when it is pushed, straight into Lua's memory: they are `owner`'s,
// an object of the host's with one reference that the tape owns until then. Nothing of them counts as crossing.
void lb_add_vec(lb_tape *tape, const float *values, size_t count, void *owner);
// What a function returns behind a nil.
void lb_add_error(
  lb_tape *tape, const char *code, size_t code_count, const char *message, size_t message_count);
// A TokenSet over ids 0..<universe: a bit each, in whole words whose bits past the last id are zero.
void lb_add_set(lb_tape *tape, uint32_t universe, const uint64_t *words);
void lb_add_rng(lb_tape *tape, uint64_t seed, uint64_t stream, uint64_t position);
// Follow with `array_count` values, then keys and values, of which there are `field_count`, then lb_end_table.
void lb_begin_table(lb_tape *tape, size_t array_count, size_t field_count, bool marked_as_array);
// A table that Lua has already: follow with keys and values to set, then lb_end_table. The reference is as lb_add_ref's.
void lb_begin_change(lb_tape *tape, lb_ref table);
void lb_end_table(lb_tape *tape);
// A Vec over `data` that is valid while the source's epoch stays what it is now. The script's handle of `anchor` (an
// object pushed before; may be NULL) is kept from collection as long as the view.
void lb_add_view(lb_tape *tape, float *data, size_t count, lb_source *source, bool writable, const void *anchor);

// What views watch. Made by the host, dropped by lb_source_close; views made from it then are stale, never dangling.
// epoch: read whenever a view is used. NULL: the source counts for itself, with lb_source_advance.
lb_source *lb_source_make(const uint64_t *epoch);
void lb_source_advance(lb_source *source);
void lb_source_close(lb_source *source);

// --- the host ----------------------------------------------------------------------------------------------------

typedef struct {
  void *context;
  // Runs function number `function` (lb_add_function). Returns LB_CALL_DONE; LB_CALL_FAILED after lb_frame_fail or
  // lb_frame_rethrow; LB_CALL_WAITS after lb_frame_wait.
  int (*call)(void *context, int32_t function, lb_call_frame *frame);
  // Drops one reference to a handle's object. closing: the script asked for it, as opposed to the collector.
  void (*release)(void *context, uint32_t type, void *object, bool closing);
  // n draws in the open interval (0, 1): draw i is a function of (seed, stream, position, i) alone.
  void (*uniforms)(void *context, uint64_t seed, uint64_t stream, uint64_t position, double *out, size_t n);
  // Standard output of print and lacuna.write. NULL: C's stdout.
  void (*write)(void *context, const char *bytes, size_t count);
  // Ends a call that waited: the results, or what it failed with. Whatever is left to wait for is waited for here and
  // now: the script cannot be left where it is. Returns as `call`, but for LB_CALL_WAITS.
  int (*complete)(void *context, void *waiting, lb_call_frame *frame);
} lb_host;

enum { LB_CALL_DONE = 0, LB_CALL_FAILED = 1, LB_CALL_WAITS = 2 };

// What a host call sees.
lb_tape *lb_frame_arguments(lb_call_frame *frame);  // every declared argument, nil where absent
lb_tape *lb_frame_results(lb_call_frame *frame);
// Raise an error table once the host has returned. code: "stale_view", "context_full"; message: for people.
void lb_frame_fail(
  lb_call_frame *frame, const char *code, size_t code_count, const char *message, size_t message_count);
// The argument that the error is about, counted from 1: makes "bad argument #1 to 'encode' (message)".
void lb_frame_fail_argument(lb_call_frame *frame, int32_t argument, const char *message, size_t message_count);
// What the call waits for: an object whose reference the frame owns from now on (it is let go by lb_host.release, with
// type 0).
void lb_frame_wait(lb_call_frame *frame, void *waiting);
// Raise again what a nested lb_call failed with. Takes the reference.
void lb_frame_rethrow(lb_call_frame *frame, lb_ref value);

// --- states ------------------------------------------------------------------------------------------------------

// memory_cap: bytes, 0 for none. NULL without memory. The stock libraries are open, print and math.random replaced.
lb_state *lb_state_make(const lb_host *host, size_t memory_cap, uint64_t seed);
// Closes to-be-closed variables, finalizes everything, frees everything. A sandboxed state drops what it holds of the
// host's and gives its memory back in one piece: no script code runs, and the time does not depend on the script.
void lb_state_close(lb_state *state);

// --- sandboxed states --------------------------------------------------------------------------------------------
//
// A limit ends the state, not just the call: whatever runs is left by a jump to the host's call, so that no pcall, no
// __close handler and no coroutine of the script sees it. Every later call fails with LB_ENDED. What remains is to
// close the state.

typedef enum {
  LB_LIMIT_NONE = 0,
  LB_LIMIT_MEMORY,
  LB_LIMIT_CALL,  // wall-clock time of a call from the host
  LB_LIMIT_STEP,  // processor time of one callback
  LB_LIMIT_HOST,  // the host said so, with lb_exceed
} lb_limit;

typedef struct {
  size_t memory;     // bytes, of Lua, its vectors and its tapes
  uint64_t call_ns;  // 0: none
  uint64_t step_ns;  // 0: none
  size_t crossing;   // bytes that one tape may hold
  size_t source;     // bytes that one chunk may have
  size_t output;     // bytes that print and lacuna.write pass on; the rest is left out, and that is said once
  bool clock;        // os.time, os.clock and os.date are there
} lb_limits;

// A state with base, string, table, math, utf8 and coroutine in versions that can be stopped anywhere, and without the
// rest. NULL without memory or without a thread to watch the time.
lb_state *lb_sandbox_make(const lb_host *host, const lb_limits *limits, uint64_t seed);
// Freezes the globals and every module: to be called when the host has registered its own.
lb_status lb_freeze(lb_state *state);
// Ends the state as soon as the host call that runs returns, or at once where none does.
void lb_exceed(lb_state *state, lb_limit limit);
// Which limit ended the state.
lb_limit lb_state_limit(const lb_state *state);
// "script.lua:12", where the script was then; empty if that is not known.
const char *lb_limit_place(const lb_state *state);
// Several calls that share one call limit. They nest.
void lb_begin_call(lb_state *state);
void lb_end_call(lb_state *state);

typedef struct {
  size_t used, peak, cap;   // bytes that Lua and its tapes hold
  uint64_t allocations;     // requests for more memory so far
  int64_t live_objects;     // host references that Lua holds
} lb_memory;
lb_memory lb_state_memory(const lb_state *state);
// For tests: requests for more memory fail once `count` more have been granted, until called again with UINT64_MAX.
void lb_fail_after(lb_state *state, uint64_t count);
void lb_collect(lb_state *state);

// The first number that lb_add_type gives out.
enum { LB_FIRST_TYPE = 8 };

// A type of handles: name "lacuna.session". 0 on failure. Its number is the same in every state that registers the
// same types in the same order.
uint32_t lb_add_type(lb_state *state, const char *name);

// A host function. owner: a module ("lacuna", "lacuna.json") or a type's name; in a type a name that begins with "__" is
// a metamethod and one that begins with "@" is computed on reading a field.
// signature: arguments separated by commas, each a union of nil, boolean, integer, number, string, function, table,
// any, vec, set, rng or a type's name without "lacuna."; "?" after it allows nil, "&" asks for the value by reference
// (LB_FUNCTION); "..." takes the rest.
// `deep` functions (callbacks inside tables) are found by the host on the tape.
lb_status lb_add_function(
  lb_state *state, const char *owner, const char *name, const char *signature, int32_t function);
// A field of a module: the first value of the tape.
lb_status lb_set_field(lb_state *state, const char *module, const char *name, lb_tape *value);
// A global: the first value of the tape.
lb_status lb_set_global(lb_state *state, const char *name, lb_tape *value);
// The one place that `require` looks in first; in a sandboxed state the only one.
lb_status lb_set_search_folder(lb_state *state, const char *folder);

// Names of what was registered, "lacuna.session:append", one a line; the result is free()d by the caller.
char *lb_registered_names(lb_state *state);

// --- calling Lua -------------------------------------------------------------------------------------------------

// Compiles text (never bytecode). A first line that begins with '#' is skipped. name: "@file" or "=label".
lb_status lb_load(lb_state *state, const char *bytes, size_t count, const char *name, lb_ref *function);
// arguments and results may be NULL. The results replace what the tape held.
lb_status lb_call(lb_state *state, lb_ref function, lb_tape *arguments, lb_tape *results);
// The same for a callback, under the step limit as well.
lb_status lb_call_step(lb_state *state, lb_ref function, lb_tape *arguments, lb_tape *results);
// A call that can be left while a host call waits: a coroutine of its own, which has not begun.
lb_status lb_begin_turns(lb_state *state, lb_ref function, lb_tape *arguments, lb_ref *thread);
// Lets it go on until it ends, or until one of its host calls waits: LB_WAITING, and `waiting` is what lb_frame_wait was
// given, borrowed. A host call that waits deeper, in a coroutine of the script's or below a nested call of the host's, is
// completed at once.
// keep: results come by reference.
// deadline: of the call limit, where the state is not within another call; 0 before the first turn, and kept between turns.
lb_status lb_go_on(
  lb_state *state, lb_ref thread, lb_tape *results, bool keep, uint64_t *deadline, void **waiting);
// Whether the state is beyond a limit; ends it if the deadline of one of its calls has passed, as may be while it waits.
bool lb_is_late(lb_state *state, uint64_t deadline);

// How many arguments a referenced function takes; -1 for any number, for one that is not written in Lua, and after an error.
int lb_parameter_count(lb_state *state, lb_ref function);
// Whether a referenced table has no field at all, without metamethods.
bool lb_is_empty(lb_state *state, lb_ref table);
// Elements of a referenced table's sequence, without metamethods.
size_t lb_get_length(lb_state *state, lb_ref table);
lb_status lb_get_element(lb_state *state, lb_ref table, size_t index, lb_ref *value);
// Field of a referenced table, without metamethods; LB_NO_REF where nil. Functions only, or any with any_type.
lb_status lb_get_field(lb_state *state, lb_ref table, const char *name, bool any_type, lb_ref *value);
// The value as plain data: fails for functions, handles, cycles and depth.
lb_status lb_read(lb_state *state, lb_ref value, lb_tape *out);
// The first value of the tape as something to hold.
lb_status lb_hold(lb_state *state, lb_tape *value, lb_ref *ref);
void lb_release(lb_state *state, lb_ref ref);

// What the last failed call of this state failed with. Strings are NULL where there is none and live until the next
// failure.
typedef struct {
  lb_ref value;  // the error value itself; the caller's to release or to rethrow
  const char *code, *message, *where, *traceback;
} lb_failure;
// Gives the value away, once.
lb_failure lb_last_failure(lb_state *state);

// Whether the host call that runs should return: asked to stop, or beyond a limit. From the state's own thread.
bool lb_should_return(const lb_state *state);

// Asks the state to stop, from any thread: Lua code that runs raises "cancelled" at its next instruction, and again
// after every pcall. Uses SIGURG, whose default is to be ignored, to reach the state's thread. Sticky.
// States that run inside a host call of this one are stopped with it.
void lb_interrupt(lb_state *state);
// From the state's own thread.
bool lb_interrupted(const lb_state *state);
// Undoes lb_interrupt, when nothing runs.
void lb_resume(lb_state *state);

// The linked library's own words: "$LuaVersion: Lua 5.4.4  Copyright ...". Not the headers', which may be older.
const char *lb_library_ident(void);

// Bytes of stack that this thread has left below the caller, or 0 if unknown.
size_t lb_stack_left(void);

#endif
