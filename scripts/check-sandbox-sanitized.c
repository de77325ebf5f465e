// Runs attack scripts against the bridge's sandbox, without the rest of the project, and compares what became of each
// with what its header says. Built by check-sandbox-sanitized.
//
//   -- What it tries.
//   -- expect: ok | error SOME WORDS | limit memory | limit call
//   -- call-ms: 50         (optional)
//   -- memory-mb: 16       (optional)
//   -- needs: host         (optional: skipped here)
//
// Scripts have lacuna.parallel, and lacuna.pause, which waits for nothing.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CLuaBridge.h"

// What the real host has of lacuna.parallel, without a model: items go on in turn. Where an item waits there is nothing to
// wait for but its next turn.
typedef struct {
  lb_state *state;
  lb_ref items, function;  // LB_NO_REF for lacuna.pause
} waiting_call;

enum { PARALLEL, PAUSE };

static int host_call(void *context, int32_t function, lb_call_frame *frame) {
  lb_tape *arguments = lb_frame_arguments(frame);
  waiting_call *call = calloc(1, sizeof *call);
  *call = (waiting_call){*(lb_state **)context, LB_NO_REF, LB_NO_REF};
  if (function == PARALLEL) {
    call->items = lb_tape_take_function(arguments, 0);
    call->function = lb_tape_take_function(arguments, 1);
  }
  lb_frame_wait(frame, call);
  return LB_CALL_WAITS;
}

typedef struct {
  lb_ref thread, result, error;
  uint64_t deadline;
  bool begun, done;
} item;

// The error that the state failed with, by reference.
static lb_ref failure_of(lb_state *state, lb_status status) {
  if (status == LB_FAILED) return lb_last_failure(state).value;
  lb_tape *tape = lb_tape_make(state);
  lb_ref error = LB_NO_REF;
  if (tape != NULL) {
    lb_add_error(tape, "memory", 6, "not enough memory", 17);
    (void)lb_hold(state, tape, &error);
    lb_tape_free(tape);
  }
  return error;
}

static void take_turn(lb_state *state, const waiting_call *call, size_t index, item *item) {
  lb_tape *tape = lb_tape_make(state);
  if (tape == NULL) {
    item->done = true;
    return;
  }
  lb_status status = LB_OK;
  if (!item->begun) {
    lb_ref value = LB_NO_REF;
    status = lb_get_element(state, call->items, index + 1, &value);
    if (status == LB_OK) {
      if (value == LB_NO_REF) lb_add_nil(tape);
      else lb_add_ref(tape, value);
      lb_add_integer(tape, (int64_t)index + 1);
      status = lb_begin_turns(state, call->function, tape, &item->thread);
      lb_release(state, value);
    }
    item->begun = true;
  }
  void *waiting = NULL;
  if (status == LB_OK) status = lb_go_on(state, item->thread, tape, true, &item->deadline, &waiting);
  if (status != LB_WAITING) {
    item->done = true;
    if (status != LB_OK) item->error = failure_of(state, status);
    else if (lb_tape_count(tape) > 0 && lb_tape_items(tape)[0].kind == LB_FUNCTION)
      item->result = lb_tape_take_function(tape, 0);
  }
  lb_tape_free(tape);
}

static void add_column(lb_tape *tape, const item *items, size_t count, bool errors) {
  lb_begin_table(tape, 0, 0, false);
  for (size_t i = 0; i < count; i++) {
    lb_ref value = errors ? items[i].error : items[i].result;
    if (value == LB_NO_REF) continue;
    lb_add_integer(tape, (int64_t)i + 1);
    lb_add_ref(tape, value);
  }
  lb_end_table(tape);
}

static int host_complete(void *context, void *waiting, lb_call_frame *frame) {
  (void)context;
  const waiting_call *call = waiting;
  if (call->items == LB_NO_REF) return LB_CALL_DONE;
  static _Thread_local int depth;
  if (depth >= 16) {
    lb_frame_fail(frame, "limit", 5, "too deep", 8);
    return LB_CALL_FAILED;
  }
  depth++;
  lb_state *state = call->state;
  size_t count = lb_get_length(state, call->items), left = count, live = 0;
  item *items = calloc(count + 1, sizeof *items);
  for (size_t i = 0; i < count; i++) items[i] = (item){LB_NO_REF, LB_NO_REF, LB_NO_REF, 0, false, false};
  for (size_t next = 0; left > 0 && lb_state_limit(state) == LB_LIMIT_NONE;) {
    while (next < count && live < 8) next++, live++;
    for (size_t i = 0; i < next; i++) {
      if (items[i].done) continue;
      take_turn(state, call, i, &items[i]);
      if (items[i].done) left--, live--;
    }
  }
  lb_tape *results = lb_frame_results(frame);
  add_column(results, items, count, false);
  add_column(results, items, count, true);
  // The tape's references are read when this has returned; they are dropped at a safe point after that.
  for (size_t i = 0; i < count; i++) {
    lb_release(state, items[i].thread);
    lb_release(state, items[i].result);
    lb_release(state, items[i].error);
  }
  free(items);
  depth--;
  return LB_CALL_DONE;
}

static void host_release(void *context, uint32_t type, void *object, bool closing) {
  (void)context, (void)closing;
  if (type != 0) return;
  waiting_call *call = object;
  lb_release(call->state, call->items);
  lb_release(call->state, call->function);
  free(call);
}

// Any numbers in (0, 1) will do here.
static void host_uniforms(
  void *context, uint64_t seed, uint64_t stream, uint64_t position, double *out, size_t n) {
  (void)context;
  uint64_t x = seed ^ (stream << 20) ^ (position << 40) ^ 1;
  for (size_t i = 0; i < n; i++) {
    x = x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    out[i] = ((double)(x >> 12) + 0.5) * 0x1p-52;
  }
}

static void host_write(void *context, const char *bytes, size_t count) { (void)context, (void)bytes, (void)count; }

typedef struct {
  const char *path;
  char *source;
  size_t count;
  bool slow;  // a sanitizer or an emulator: time is reported, not judged, and what ends by itself has more of it
  bool failed;
} job;

// The rest of the header line that begins with `key`, in `out`; false if there is none.
static bool header(const char *source, const char *key, char *out, size_t room) {
  char line[64];
  snprintf(line, sizeof line, "\n-- %s: ", key);
  const char *found = strstr(source, line);
  if (found == NULL) return false;
  found += strlen(line);
  size_t count = strcspn(found, "\n");
  if (count >= room) count = room - 1;
  memcpy(out, found, count);
  out[count] = 0;
  return true;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static void *run(void *argument) {
  job *job = argument;
  char expected[200] = "", value[64], outcome[4200];
  if (header(job->source, "needs", value, sizeof value)) {
    printf("skip  %8s  %s (needs %s)\n", "", job->path, value);
    return NULL;
  }
  header(job->source, "expect", expected, sizeof expected);
  // As SandboxPolicy has them.
  lb_limits limits = {
    .memory = (size_t)16 << 20, .call_ns = UINT64_C(50000000), .crossing = 1 << 20, .source = 1 << 16, .output = 1 << 16};
  if (header(job->source, "memory-mb", value, sizeof value)) limits.memory = strtoul(value, NULL, 10) << 20;
  if (header(job->source, "call-ms", value, sizeof value)) limits.call_ns = strtoull(value, NULL, 10) * 1000000;
  if (job->slow && strncmp(expected, "limit ", 6) != 0) limits.call_ns *= 10;
  lb_state *state = NULL;
  lb_host host = {&state, host_call, host_release, host_uniforms, host_write, host_complete};
  state = lb_sandbox_make(&host, &limits, 1);
  if (
    state == NULL || lb_add_function(state, "lacuna", "parallel", "table&, function, table?", PARALLEL) != LB_OK ||
    lb_add_function(state, "lacuna", "pause", "", PAUSE) != LB_OK || lb_freeze(state) != LB_OK) {
    fprintf(stderr, "no state\n");
    exit(2);
  }
  double start = now();
  lb_ref chunk;
  lb_begin_call(state);
  lb_status status = lb_load(state, job->source, job->count, "=attack", &chunk);
  if (status == LB_OK) status = lb_call(state, chunk, NULL, NULL);
  lb_end_call(state);
  double ran = now();
  if (status == LB_OK) {
    snprintf(outcome, sizeof outcome, "ok");
  } else if (status == LB_ENDED) {
    lb_limit limit = lb_state_limit(state);
    snprintf(outcome, sizeof outcome, "limit %s", limit == LB_LIMIT_MEMORY ? "memory" : limit == LB_LIMIT_CALL ? "call" : "?");
  } else if (status == LB_FAILED) {
    lb_failure failure = lb_last_failure(state);
    snprintf(outcome, sizeof outcome, "error %s", failure.message ? failure.message : "?");
  } else {
    snprintf(outcome, sizeof outcome, "no memory");
  }
  size_t peak = lb_state_memory(state).peak;
  lb_state_close(state);
  double end = now();

  bool as_expected = strcmp(expected, outcome) == 0;
  if (strncmp(expected, "error ", 6) == 0)
    as_expected = strncmp(outcome, "error ", 6) == 0 && strstr(outcome + 6, expected + 6) != NULL;
  bool in_time = job->slow || end - start <= (double)limits.call_ns * 1e-6 + 100;
  job->failed = !as_expected || !in_time || peak > limits.memory;
  printf("%s  %5.0f + %-4.0f ms %5.1f MiB  %s: %.70s\n", job->failed ? "FAIL" : "pass", ran - start, end - ran,
         (double)peak / (1 << 20), job->path, outcome);
  if (!as_expected) printf("      expected: %s\n", expected);
  fflush(stdout);
  return NULL;
}

int main(int count, char **arguments) {
  bool slow = false;
  int failures = 0;
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "--slow") == 0) {
      slow = true;
      continue;
    }
    FILE *file = fopen(arguments[i], "rb");
    if (file == NULL) {
      perror(arguments[i]);
      return 2;
    }
    job job = {.path = arguments[i], .source = calloc(1, 1 << 20), .slow = slow};
    job.count = fread(job.source, 1, (1 << 20) - 1, file);
    fclose(file);
    // Lua's own recursion needs more than the usual stack.
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16 << 20);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, run, &job) != 0) return 2;
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    failures += job.failed;
    free(job.source);
  }
  if (failures > 0) printf("%d of the attacks did not end as they should\n", failures);
  return failures > 0;
}
