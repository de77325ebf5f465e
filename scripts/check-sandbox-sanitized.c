// Runs attack scripts against the bridge's sandbox, without the rest of the project, and compares what became of each
// with what its header says. Built by check-sandbox-sanitized.
//
//   -- What it tries.
//   -- expect: ok | error SOME WORDS | limit memory | limit call
//   -- call-ms: 50         (optional)
//   -- memory-mb: 16       (optional)
//   -- needs: host         (optional: skipped here)
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CLuaBridge.h"

static int host_call(void *context, int32_t function, lb_call_frame *frame) {
  (void)context, (void)function;
  lb_frame_fail(frame, "unsupported", 11, "this host has no functions", 26);
  return 1;
}

static void host_release(void *context, uint32_t type, void *object, bool closing) {
  (void)context, (void)type, (void)object, (void)closing;
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
  bool slow;  // a sanitizer or an emulator: the time is reported, not judged
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
  lb_host host = {NULL, host_call, host_release, host_uniforms, host_write};
  lb_state *state = lb_sandbox_make(&host, &limits, 1);
  if (state == NULL || lb_freeze(state) != LB_OK) {
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
