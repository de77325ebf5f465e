// Times kernels beside the limits of the machine that runs them: read bandwidth where memory is the wall, peak
// arithmetic where the processor is. Each item is a row of short steps (a matrix, a layer), timed one by one; the items
// of a round follow each other, rounds repeat, and the quickest tenth of all steps counts: another process that takes
// a core spoils a few steps, and a busy minute moves limits and kernels alike.
// Usage: bench-kernels [-j threads] [rounds [word in an item's name ...]]
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "CKernels.h"
#include "CProbes.h"

enum { MOST_THREADS = 64, MOST_ROUNDS = 99, MOST_STEPS = 64, TOKENS = 512, CONTEXT = 4000, HEADS = 32, HEAD_DIM = 128 };
#define BLOCK_BYTES ((size_t)1 << 30)

typedef enum { READ, PEAK, PRODUCT, LAYER, ATTEND } kind;
typedef struct {
  const char *name;
  kind kind;
  size_t rows, cols, m;  // READ: rows side by side, 0: far streams. ATTEND: m queries at the context's end
  ck_dtype dtype;
  double *times;  // [rounds * steps]
  size_t timed;
} item;

static item items[] = {
    {"read 1 stream", READ, 1, 0, 0, CK_F32, NULL, 0},
    {"read 2 rows", READ, 2, 0, 0, CK_F32, NULL, 0},
    {"read 8 rows", READ, 8, 0, 0, CK_F32, NULL, 0},
    {"read 4 far streams", READ, 0, 0, 0, CK_F32, NULL, 0},
    {"peak", PEAK, 0, 0, 0, CK_F32, NULL, 0},
    {"decode layer", LAYER, 0, 0, 1, CK_E4M3, NULL, 0},
    {"decode q 4096x4096", PRODUCT, 4096, 4096, 1, CK_E4M3, NULL, 0},
    {"decode up 11008x4096", PRODUCT, 11008, 4096, 1, CK_E4M3, NULL, 0},
    {"decode down 4096x11008", PRODUCT, 4096, 11008, 1, CK_E4M3, NULL, 0},
    {"decode head 32000x4096 bf16", PRODUCT, 32000, 4096, 1, CK_BF16, NULL, 0},
    {"batch 2 layer", LAYER, 0, 0, 2, CK_E4M3, NULL, 0},
    {"batch 4 layer", LAYER, 0, 0, 4, CK_E4M3, NULL, 0},
    {"batch 8 layer", LAYER, 0, 0, 8, CK_E4M3, NULL, 0},
    {"batch 8 q", PRODUCT, 4096, 4096, 8, CK_E4M3, NULL, 0},
    {"batch 8 down", PRODUCT, 4096, 11008, 8, CK_E4M3, NULL, 0},
    {"batch 8 head bf16", PRODUCT, 32000, 4096, 8, CK_BF16, NULL, 0},
    {"batch 16 layer", LAYER, 0, 0, 16, CK_E4M3, NULL, 0},
    {"prefill 32 layer", LAYER, 0, 0, 32, CK_E4M3, NULL, 0},
    {"prefill 64 layer", LAYER, 0, 0, 64, CK_E4M3, NULL, 0},
    {"prefill 128 layer", LAYER, 0, 0, 128, CK_E4M3, NULL, 0},
    {"prefill 512 q", PRODUCT, 4096, 4096, 512, CK_E4M3, NULL, 0},
    {"prefill 512 up", PRODUCT, 11008, 4096, 512, CK_E4M3, NULL, 0},
    {"prefill 512 down", PRODUCT, 4096, 11008, 512, CK_E4M3, NULL, 0},
    {"attend decode bf16", ATTEND, 0, 0, 1, CK_BF16, NULL, 0},
    {"attend decode e4m3", ATTEND, 0, 0, 1, CK_E4M3, NULL, 0},
    {"attend prefill bf16", ATTEND, 0, 0, 64, CK_BF16, NULL, 0},
    {"attend prefill e4m3", ATTEND, 0, 0, 64, CK_E4M3, NULL, 0},
};
enum { ITEMS = sizeof items / sizeof *items };

static const ck_table *table;
static size_t thread_count;
static uint8_t *block;  // weights and pages, BLOCK_BYTES
static uint8_t *packed[2];  // [TOKENS] rows for CK_E4M3, CK_BF16
static size_t packed_stride;
static float *out, *scales, *queries;
static void *scratch[MOST_THREADS];
static atomic_size_t arrived, phase;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void barrier(void) {
  const size_t current = atomic_load(&phase);
  size_t looks = 0;
  if (atomic_fetch_add(&arrived, 1) + 1 == thread_count) {
    atomic_store(&arrived, 0);
    atomic_store(&phase, current + 1);
  } else {
    while (atomic_load(&phase) == current) {
      if (++looks < 20000) ck_pause();
      else sched_yield();
    }
  }
}

static void *get(size_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) abort();
#ifdef MADV_HUGEPAGE
  madvise(p, bytes, MADV_HUGEPAGE);
#endif
  return p;
}

// --- limits --------------------------------------------------------------------------------------------------

static volatile float sink;

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512bf16"))), apply_to = function)
static void read_avx512(const uint8_t *p, size_t bytes, size_t rows) {
  __m512i sum[4] = {0};
  for (size_t at = 0; at + rows * 4096 <= bytes; at += rows * 4096) {
    for (size_t k = 0; k < 4096; k += 64) {
      for (size_t r = 0; r < rows; r++) {
        _mm_prefetch((const char *)(p + at + rows * k + r * 64 + 2 * rows * 4096), _MM_HINT_T0);
        sum[r % 4] = _mm512_xor_si512(sum[r % 4], _mm512_loadu_si512(p + at + r * 4096 + k));
      }
    }
  }
  for (int i = 1; i < 4; i++) sum[0] = _mm512_xor_si512(sum[0], sum[i]);
  sink = (float)_mm512_reduce_or_epi32(sum[0]);
}
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
static void read_avx2(const uint8_t *p, size_t bytes, size_t rows) {
  __m256i sum[4] = {0};
  for (size_t at = 0; at + rows * 4096 <= bytes; at += rows * 4096) {
    for (size_t k = 0; k < 4096; k += 64) {
      for (size_t r = 0; r < rows; r++) {
        _mm_prefetch((const char *)(p + at + rows * k + r * 64 + 2 * rows * 4096), _MM_HINT_T0);
        const __m256i *from = (const __m256i *)(const void *)(p + at + r * 4096 + k);
        sum[r % 2] = _mm256_xor_si256(sum[r % 2], _mm256_loadu_si256(from));
        sum[2 + r % 2] = _mm256_xor_si256(sum[2 + r % 2], _mm256_loadu_si256(from + 1));
      }
    }
  }
  for (int i = 1; i < 4; i++) sum[0] = _mm256_xor_si256(sum[0], sum[i]);
  sink = (float)_mm256_extract_epi32(sum[0], 0);
}
#pragma clang attribute pop
#endif

static void read_plain(const uint8_t *p, size_t bytes, size_t rows) {
  uint64_t sum = 0;
  for (size_t at = 0; at + rows * 4096 <= bytes; at += rows * 4096) {
    for (size_t k = 0; k < 4096; k += 64) {
      for (size_t r = 0; r < rows; r++) {
        uint64_t line[8];
        memcpy(line, p + at + r * 4096 + k, 64);
        for (int i = 0; i < 8; i++) sum ^= line[i];
      }
    }
  }
  sink = (float)sum;
}

static void read_memory(const uint8_t *p, size_t bytes, size_t rows) {
#if defined(__x86_64__)
  if (ck_table_for(CK_ISA_AVX512_BF16)) {
    read_avx512(p, bytes, rows);
    return;
  }
  if (ck_table_for(CK_ISA_AVX2)) {
    read_avx2(p, bytes, rows);
    return;
  }
#endif
  read_plain(p, bytes, rows);
}

// Four streams, each a quarter of the memory.
static void read_far(const uint8_t *p, size_t bytes) {
  enum { STREAMS = 4, LINE = 64 };
  typedef uint64_t line __attribute__((vector_size(LINE), aligned(8)));
  const size_t part = bytes / STREAMS / LINE * LINE;
  line sums[STREAMS] = {{0}};
  for (size_t k = 0; k < part; k += LINE) {
    for (size_t s = 0; s < STREAMS; s++) sums[s] ^= *(const line *)(const void *)(p + s * part + k);
  }
  for (size_t s = 1; s < STREAMS; s++) sums[0] ^= sums[s];
  sink = (float)sums[0][0];
}

// What the table's instructions can do.
static cp_arithmetic arithmetic_kind(void) {
  switch (table->isa) {
    case CK_ISA_AMX: return CP_TILE_BF16;
    case CK_ISA_AVX512_FP16: return CP_FMA_FP16;
    case CK_ISA_AVX512_BF16: return CP_DOT_BF16;
    case CK_ISA_AVX512: return CP_FMA_AVX512;
    case CK_ISA_AVX2: return CP_FMA_AVX2;
    default: return CP_FMA;
  }
}

// --- work ----------------------------------------------------------------------------------------------------

static size_t slice(size_t count, size_t thread, size_t multiple) {
  const size_t units = (count + multiple - 1) / multiple, at = units * thread / thread_count * multiple;
  return at < count ? at : count;
}

static void product(size_t thread, size_t rows, size_t cols, ck_dtype dtype, size_t m, size_t offset) {
  const ck_weights w = {block + offset, dtype == CK_E4M3 ? scales : NULL, rows, cols, 1, cols, dtype};
  table->matmul(out, rows, &w, slice(rows, thread, 16), slice(rows, thread + 1, 16), packed[dtype == CK_BF16],
                packed_stride, m, scratch[thread]);
  barrier();
}

// The products of one Llama-2-7B layer, in their order.
enum { LAYER_BYTES = 4 * 4096 * 4096 + 3 * 4096 * 11008 };
static void layer(size_t thread, size_t m, size_t offset) {
  static const size_t shapes[7][2] = {{4096, 4096},  {4096, 4096},  {4096, 4096}, {4096, 4096},
                                      {11008, 4096}, {11008, 4096}, {4096, 11008}};
  for (int i = 0; i < 7; offset += shapes[i][0] * shapes[i][1], i++) {
    product(thread, shapes[i][0], shapes[i][1], CK_E4M3, m, offset);
  }
}

static ck_kv_layout layout_of(const item *it) { return (ck_kv_layout){HEADS, HEAD_DIM, it->dtype}; }
enum { PAGES = CONTEXT / CK_PAGE_POSITIONS, READ_BYTES = 16 << 20, PEAK_ROUNDS = 200000 };

// Bytes that a step reads from memory if it reads nothing twice.
static size_t bytes_of(const item *it) {
  const ck_kv_layout layout = layout_of(it);
  switch (it->kind) {
    case READ: return READ_BYTES;
    case PRODUCT: return it->rows * it->cols * (it->dtype == CK_BF16 ? 2 : 1);
    case LAYER: return LAYER_BYTES;
    case ATTEND: return PAGES * ck_kv_page_bytes(&layout);
    default: return 0;
  }
}

static double operations_of(const item *it) {
  switch (it->kind) {
    case PEAK: return (double)(thread_count * cp_multiply_operations(arithmetic_kind()) * PEAK_ROUNDS);
    case PRODUCT: return 2.0 * (double)(it->rows * it->cols * it->m);
    case LAYER: return 2.0 * (double)(LAYER_BYTES * it->m);
    case ATTEND: return 4.0 * (double)(CONTEXT * HEADS * HEAD_DIM * it->m);
    default: return 0;
  }
}

// Steps of a round: through all of the block where memory is the limit, a few where arithmetic is.
static size_t steps_of(const item *it) {
  if (it->kind == PEAK) return 8;
  const size_t steps = BLOCK_BYTES / bytes_of(it), most = it->m > 16 ? 2 : MOST_STEPS;
  return steps < most ? steps : most;
}

// As the pass does: a page holds all layers, so a layer's parts of consecutive pages lie far apart.
static void attend(size_t thread, const item *it, size_t layer) {
  const ck_kv_layout layout = layout_of(it);
  const size_t bytes = ck_kv_page_bytes(&layout), layers = BLOCK_BYTES / bytes_of(it);
  const void *pages[PAGES];
  for (size_t p = 0; p < PAGES; p++) pages[p] = block + p * layers * bytes;
  const size_t head = slice(HEADS, thread, 1), heads = slice(HEADS, thread + 1, 1) - head;
  if (heads == 0) return;
  table->attend(out, queries, HEADS * HEAD_DIM, it->m, CONTEXT - it->m, &layout, pages, layer * bytes, head, heads, 1, 0.088f,
                scratch[thread]);
}

static void run(const item *it, size_t thread, size_t step) {
  const size_t offset = step * bytes_of(it), share = READ_BYTES / thread_count / 4096 * 4096;
  switch (it->kind) {
    case READ:
      if (it->rows) read_memory(block + offset + thread * share, share, it->rows);
      else read_far(block + offset + thread * share, share);
      break;
    case PEAK: sink = cp_multiply(arithmetic_kind(), PEAK_ROUNDS); break;
    case PRODUCT: product(thread, it->rows, it->cols, it->dtype, it->m, offset); break;
    case LAYER: layer(thread, it->m, offset); break;
    case ATTEND: attend(thread, it, step); break;
  }
}

// --- rounds --------------------------------------------------------------------------------------------------

static int rounds = 7, chosen_count;
static item *chosen[ITEMS];

static void *work(void *argument) {
  const size_t thread = (size_t)(uintptr_t)argument;
  for (int round = -1; round < rounds; round++) {  // one to warm up
    for (int i = 0; i < chosen_count; i++) {
      item *it = chosen[i];
      for (size_t step = 0; step < steps_of(it); step++) {
        barrier();
        const double start = now();
        run(it, thread, step);
        barrier();
        if (thread == 0 && round >= 0) it->times[it->timed++] = now() - start;
      }
    }
  }
  return NULL;
}

static int rising(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void prepare(void) {
  block = get(BLOCK_BYTES + (1 << 20));
  uint64_t state = 0x9E3779B97F4A7C15u;
  for (size_t i = 0; i < BLOCK_BYTES + (1 << 20); i += 8) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    // As E4M3: moderate numbers; as BF16 and as scales of a page: tiny, but normal.
    const uint64_t bits = (state & 0x8F8F8F8F8F8F8F8Fu) | 0x3030303030303030u;
    memcpy(block + i, &bits, 8);
  }
  scales = get(32000 * sizeof(float));
  for (size_t i = 0; i < 32000; i++) scales[i] = 0.01f;
  out = get(32000 * TOKENS * sizeof(float));
  queries = get(64 * HEADS * HEAD_DIM * sizeof(float));
  for (size_t i = 0; i < 64 * HEADS * HEAD_DIM; i++) queries[i] = (float)(i % 31) / 31 - 0.5f;
  packed_stride = table->packed_row_bytes(11008, CK_E4M3);
  float *x = get(11008 * sizeof(float));
  for (size_t i = 0; i < 11008; i++) x[i] = (float)(i % 97) / 97 - 0.5f;
  for (int type = 0; type < 2; type++) {
    packed[type] = get(TOKENS * packed_stride);
    // Every token is the same one.
    table->pack(packed[type], packed_stride, TOKENS, x, 0, 0, TOKENS, 11008, type ? CK_BF16 : CK_E4M3);
  }
  const ck_kv_layout layout = {HEADS, HEAD_DIM, CK_E4M3};
  size_t bytes = table->attend_scratch_bytes(&layout, 1);
  if (bytes < table->matmul_scratch_bytes(11008)) bytes = table->matmul_scratch_bytes(11008);
  for (size_t t = 0; t < thread_count; t++) scratch[t] = get(bytes);
}

int main(int argc, char **argv) {
  table = ck_table_best();
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  thread_count = processors < 1 ? 1 : processors > MOST_THREADS ? MOST_THREADS : (size_t)processors;
  if (argc > 2 && strcmp(argv[1], "-j") == 0) {
    const int wanted = atoi(argv[2]);
    thread_count = wanted < 1 ? 1 : wanted > MOST_THREADS ? MOST_THREADS : (size_t)wanted;
    argc -= 2;
    argv += 2;
  }
  if (argc > 1) rounds = atoi(argv[1]);
  rounds = rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
  for (int i = 0; i < ITEMS; i++) {
    bool wanted = argc <= 2 || items[i].kind == READ || items[i].kind == PEAK;
    for (int a = 2; a < argc; a++) wanted |= strstr(items[i].name, argv[a]) != NULL;
    if (!wanted) continue;
    items[i].times = get(MOST_ROUNDS * MOST_STEPS * sizeof(double));
    chosen[chosen_count++] = &items[i];
  }
  prepare();
  pthread_t threads[MOST_THREADS];
  for (size_t t = 1; t < thread_count; t++) pthread_create(&threads[t], NULL, work, (void *)(uintptr_t)t);
  work(NULL);
  for (size_t t = 1; t < thread_count; t++) pthread_join(threads[t], NULL);

  double bandwidth = 0, arithmetic = 0;
  printf("%s, %zu threads, %d rounds\n", table->name, thread_count, rounds);
  printf("%-30s %9s %8s %8s %9s %8s\n", "", "ms", "GB/s", "of read", "GFLOP/s", "of peak");
  for (int i = 0; i < chosen_count; i++) {
    item *it = chosen[i];
    qsort(it->times, it->timed, sizeof(double), rising);
    const double time = it->times[it->timed / 10], bytes = (double)bytes_of(it) / time, operations = operations_of(it) / time;
    if (it->kind == READ && bytes > bandwidth) bandwidth = bytes;
    if (it->kind == PEAK) arithmetic = operations;
    printf("%-30s %9.3f %8.1f %8.2f %9.0f %8.2f\n", it->name, time * 1e3, bytes * 1e-9, bytes / bandwidth,
           operations * 1e-9, operations / arithmetic);
  }
}
