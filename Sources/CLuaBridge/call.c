// The two guarded edges: lb_call from the host into Lua, the trampoline from Lua into the host.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

// --- Lua to host -------------------------------------------------------------------------------------------------

static const char lb_frame_key = 0;  // registry: the metatable of frames

void lb_frame_clear(lb_call_frame *frame) {
  lb_tape_release(&frame->arguments);
  lb_tape_release(&frame->results);
  lb_release(frame->arguments.state, frame->rethrown);
  frame->rethrown = LB_NO_REF;
  if (frame->waiting != NULL) {
    lb_state *state = frame->arguments.state;
    void *waiting = frame->waiting;
    frame->waiting = NULL;
    state->host.release(state->host.context, 0, waiting, false);
  }
  free(frame->code);
  free(frame->message);
  frame->code = frame->message = NULL;
}

static int lb_frame_gc(lua_State *L) {
  lb_call_frame *frame = lua_touserdata(L, 1);
  lb_forget_resource(&frame->resource);
  lb_frame_clear(frame);
  return 0;
}

static void lb_frame_drop(lb_state *state, lb_resource *resource) {
  (void)state;
  lb_frame_clear((lb_call_frame *)resource);  // its first field
}

void lb_open_calls(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, lb_frame_gc);
  lua_setfield(L, -2, "__gc");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_frame_key);
}

static lb_call_frame *lb_push_frame(lua_State *L, const lb_function *function) {
  lb_state *state = lb_of(L);
  lb_call_frame *frame = lua_newuserdatauv(L, sizeof *frame, 0);
  memset(frame, 0, sizeof *frame);
  lb_tape_init(&frame->arguments, state, true);
  lb_tape_init(&frame->results, state, false);
  frame->function = function;
  frame->rethrown = LB_NO_REF;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_frame_key);
  lua_setmetatable(L, -2);
  lb_keep_resource(state, &frame->resource, lb_frame_drop);
  return frame;
}

// The host said no: turns the frame's failure into a Lua error. The frame's memory goes with the collector.
static int lb_raise_failure(lua_State *L, lb_call_frame *frame) {
  if (frame->rethrown != LB_NO_REF) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, frame->rethrown);
    lb_frame_clear(frame);
    return lua_error(L);
  }
  const char *message = lua_pushstring(L, frame->message ? frame->message : "not enough memory");
  const char *code = lua_pushstring(L, frame->code ? frame->code : "resource");
  int argument = frame->bad_argument;
  lb_frame_clear(frame);
  if (argument > 0) lb_raise_argument(L, argument, frame->function->name, message);
  lb_raise(L, code, "%s", message);
}

int lb_trampoline(lua_State *L) {
  const lb_function *function = lua_touserdata(L, lua_upvalueindex(1));
  lb_state *state = lb_of(L);
  lb_check_arguments(L, function);
  int given = lua_gettop(L);
  if (given < function->parameter_count) {
    lua_settop(L, function->parameter_count);
    given = function->parameter_count;
  } else if (!function->variadic) {
    lua_settop(L, function->parameter_count);
    given = function->parameter_count;
  }
  luaL_checkstack(L, 16, NULL);
  lb_call_frame *frame = lb_push_frame(L, function);
  for (int i = 1; i <= given; i++) {
    bool held = i <= function->parameter_count && function->parameters[i - 1].held;
    lb_read_value(L, i, &frame->arguments, held ? LB_HOLD : 0);
  }
  lb_drain_dropped(state);
  int status = lb_call_host(L, frame, false);
  return status == LB_CALL_WAITS ? lb_wait(L, frame, given) : lb_finish_call(L, frame, status, given);
}

int lb_call_host(lua_State *L, lb_call_frame *frame, bool completes) {
  lb_state *state = lb_of(L);
  lua_State *before = state->running;
  lb_exit *exit = state->exit;
  state->running = L;
  state->exit = NULL;  // no limit may jump over the host's frames
  int status = completes ? state->host.complete(state->host.context, frame->waiting, frame)
                         : state->host.call(state->host.context, frame->function->number, frame);
  state->running = before;
  state->exit = exit;
  // A limit first: whatever the host reports is its consequence.
  if (lb_limit_of(state) != LB_LIMIT_NONE) lb_leave_script(state);
  return status;
}

int lb_finish_call(lua_State *L, lb_call_frame *frame, int status, int given) {
  if (status != LB_CALL_DONE) return lb_raise_failure(L, frame);
  int pushed = lb_push_tape(L, &frame->results, given > 0 ? 1 : 0);
  lb_frame_clear(frame);
  return pushed;
}

lb_tape *lb_frame_arguments(lb_call_frame *frame) { return &frame->arguments; }
lb_tape *lb_frame_results(lb_call_frame *frame) { return &frame->results; }

static char *lb_copy(const char *bytes, size_t count) {
  char *copy = malloc(count + 1);
  if (copy == NULL) return NULL;
  if (count != 0) memcpy(copy, bytes, count);
  copy[count] = 0;
  return copy;
}

void lb_frame_fail(
  lb_call_frame *frame, const char *code, size_t code_count, const char *message, size_t message_count) {
  free(frame->code);
  free(frame->message);
  frame->code = lb_copy(code, code_count);
  frame->message = lb_copy(message, message_count);
}

void lb_frame_fail_argument(
  lb_call_frame *frame, int32_t argument, const char *message, size_t message_count) {
  lb_frame_fail(frame, "bad_argument", strlen("bad_argument"), message, message_count);
  frame->bad_argument = argument;
}

void lb_frame_wait(lb_call_frame *frame, void *waiting) { frame->waiting = waiting; }

void lb_frame_rethrow(lb_call_frame *frame, lb_ref value) {
  lb_release(frame->arguments.state, frame->rethrown);
  frame->rethrown = value;
}

// --- host to Lua -------------------------------------------------------------------------------------------------

typedef struct {
  lb_ref function;
  lb_tape *arguments, *results;
} lb_request;

static int lb_call_body(lua_State *L) {
  lb_request *request = lua_touserdata(L, 1);
  // Where there is none the script does without.
  if (lb_of(L)->active == 1) (void)lua_checkstack(L, LB_STACK_ROOM);
  lua_rawgeti(L, LUA_REGISTRYINDEX, request->function);
  int count = request->arguments ? lb_push_tape(L, request->arguments, 0) : 0;
  lua_call(L, count, request->results ? LUA_MULTRET : 0);
  if (request->results) {
    int top = lua_gettop(L);
    for (int i = 2; i <= top; i++) lb_read_value(L, i, request->results, LB_COPY);
  }
  return 0;
}

lb_status lb_call(lb_state *state, lb_ref function, lb_tape *arguments, lb_tape *results) {
  if (results) {
    lb_tape_clear(results);
    results->from_lua = true;
  }
  lb_request request = {function, arguments, results};
  return lb_protect(state, lb_call_body, &request);
}

lb_status lb_call_step(lb_state *state, lb_ref function, lb_tape *arguments, lb_tape *results) {
  uint64_t before;
  lb_start_step(state, &before);
  lb_status status = lb_call(state, function, arguments, results);
  lb_end_step(state, before);
  return status;
}

typedef struct {
  const char *bytes, *name;
  size_t count;
  lb_ref result;
} lb_chunk;

static int lb_load_body(lua_State *L) {
  lb_chunk *chunk = lua_touserdata(L, 1);
  if (lb_is_sandboxed(lb_of(L))) lb_check_source(L, chunk->bytes, chunk->count, chunk->name);
  if (luaL_loadbufferx(L, chunk->bytes, chunk->count, chunk->name, "t") != LUA_OK) {
    // The message has the place already; the traceback would be the host's.
    return lua_error(L);
  }
  chunk->result = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

lb_status lb_load(lb_state *state, const char *bytes, size_t count, const char *name, lb_ref *function) {
  if (count > 0 && bytes[0] == '#') {
    // Up to the line's end, which stays so that line numbers do.
    while (count > 0 && *bytes != '\n') bytes++, count--;
  }
  lb_chunk chunk = {bytes, name, count, LB_NO_REF};
  lb_status status = lb_protect(state, lb_load_body, &chunk);
  *function = chunk.result;
  return status;
}

typedef struct {
  lb_ref table;
  const char *name;
  bool any_type;
  lb_ref result;
} lb_field_request;

static int lb_get_field_body(lua_State *L) {
  lb_field_request *request = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, request->table);
  if (!lua_istable(L, -1)) return 0;
  lua_pushstring(L, request->name);
  lua_rawget(L, -2);
  if (lua_isnil(L, -1) || (!request->any_type && !lua_isfunction(L, -1))) return 0;
  request->result = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

lb_status lb_get_field(lb_state *state, lb_ref table, const char *name, bool any_type, lb_ref *value) {
  lb_field_request request = {table, name, any_type, LB_NO_REF};
  lb_status status = lb_protect(state, lb_get_field_body, &request);
  *value = request.result;
  return status;
}

typedef struct {
  lb_ref table;
  lua_Integer index;  // 0: the length is wanted
  size_t length;
  lb_ref result;
} lb_element_request;

static int lb_get_element_body(lua_State *L) {
  lb_element_request *request = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, request->table);
  if (!lua_istable(L, -1)) return 0;
  request->length = (size_t)lua_rawlen(L, -1);
  if (request->index == 0 || lua_rawgeti(L, -1, request->index) == LUA_TNIL) return 0;
  request->result = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

size_t lb_get_length(lb_state *state, lb_ref table) {
  lb_element_request request = {table, 0, 0, LB_NO_REF};
  return lb_protect(state, lb_get_element_body, &request) == LB_OK ? request.length : 0;
}

lb_status lb_get_element(lb_state *state, lb_ref table, size_t index, lb_ref *value) {
  lb_element_request request = {table, (lua_Integer)index, 0, LB_NO_REF};
  lb_status status = lb_protect(state, lb_get_element_body, &request);
  *value = request.result;
  return status;
}

typedef struct {
  lb_ref function;
  int count;
} lb_parameters;

static int lb_parameter_count_body(lua_State *L) {
  lb_parameters *request = lua_touserdata(L, 1);
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, request->function) != LUA_TFUNCTION) return 0;
  lua_Debug ar;
  lua_getinfo(L, ">u", &ar);
  if (!ar.isvararg) request->count = ar.nparams;
  return 0;
}

int lb_parameter_count(lb_state *state, lb_ref function) {
  lb_parameters request = {function, -1};
  return lb_protect(state, lb_parameter_count_body, &request) == LB_OK ? request.count : -1;
}

typedef struct {
  lb_ref table;
  bool is_empty;
} lb_emptiness;

static int lb_is_empty_body(lua_State *L) {
  lb_emptiness *request = lua_touserdata(L, 1);
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, request->table) != LUA_TTABLE) return 0;
  lua_pushnil(L);
  request->is_empty = lua_next(L, -2) == 0;
  return 0;
}

bool lb_is_empty(lb_state *state, lb_ref table) {
  lb_emptiness request = {table, false};
  return lb_protect(state, lb_is_empty_body, &request) == LB_OK && request.is_empty;
}

static int lb_read_body(lua_State *L) {
  lb_request *request = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, request->function);
  lb_read_value(L, -1, request->results, LB_PLAIN_ONLY);
  return 0;
}

lb_status lb_read(lb_state *state, lb_ref value, lb_tape *out) {
  lb_tape_clear(out);
  out->from_lua = true;
  lb_request request = {value, NULL, out};
  return lb_protect(state, lb_read_body, &request);
}

static int lb_hold_body(lua_State *L) {
  lb_request *request = lua_touserdata(L, 1);
  lb_push_tape(L, request->arguments, 0);
  lua_settop(L, 2);
  request->function = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

lb_status lb_hold(lb_state *state, lb_tape *value, lb_ref *ref) {
  lb_request request = {LB_NO_REF, value, NULL};
  lb_status status = lb_protect(state, lb_hold_body, &request);
  *ref = request.function;
  return status;
}
