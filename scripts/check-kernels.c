// Runs every kernel of every table that this machine has on the same inputs as the scalar one and compares: bits where
// CKernels.h promises them, else nearness; and each table with itself, rows in a batch with rows alone.
// It needs no test library, so it also runs under emulators and sanitizers: scripts/check-kernels, check-neon, check-dispatch,
// check-kernels-sanitized. `check-kernels quick` takes a part of it, enough to execute every kernel.
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"
#include "../Sources/CKernels/fill.h"

enum { ROWS = 11, MOST = 70, POSITIONS = 70 };

static const ck_table *scalar, *other;
static uint64_t state = 1;
static int failures, checks;

// What a check has allocated, to the byte: a sanitizer sees any step beyond. Freed when the check is over.
enum { MOST_BLOCKS = 256 };
static void *blocks[MOST_BLOCKS];
static size_t block_count;

static uint32_t next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 32);
}

// fill 0: moderate numbers; 1: subnormal and tiny ones; 2: zeros of both signs; 3: large ones.
static float number(int fill) {
  const float unit = (float)(int32_t)next() / 2147483648.0f;
  return fill == 0 ? 4 * unit : fill == 1 ? unit * 0x1p-126f : fill == 2 ? unit * 0.0f : unit * 0x1p60f;
}

static void *get(size_t bytes) {
  void *p;
  if (block_count == MOST_BLOCKS || posix_memalign(&p, 64, bytes ? bytes : 1)) abort();
  memset(p, 0xFF, bytes);
  return blocks[block_count++] = p;
}

static void release(void) {
  while (block_count) free(blocks[--block_count]);
}

static float *numbers(size_t n, int fill) {
  float *x = get(n * sizeof(float));
  for (size_t i = 0; i < n; i++) x[i] = number(fill);
  return x;
}

static void fail(const char *op, const char *what, size_t n, int fill, size_t i, float a, float b) {
  uint32_t u, v;
  memcpy(&u, &a, 4);
  memcpy(&v, &b, 4);
  printf("%s: %s %s n=%zu fill=%d index %zu: %08x (%g), expected %08x (%g)\n", other->name, op, what, n, fill, i, v, b, u, a);
  failures++;
}

static void same(const char *op, const char *what, size_t n, int fill, const float *a, const float *b, size_t count) {
  checks++;
  for (size_t i = 0; i < count; i++) {
    if (memcmp(a + i, b + i, 4) == 0 || (a[i] != a[i] && b[i] != b[i])) continue;
    fail(op, what, n, fill, i, a[i], b[i]);
    return;
  }
}

// Within `part` of the largest number.
static void near(const char *op, const char *what, size_t n, int fill, const float *a, const float *b, size_t count,
                 float part) {
  checks++;
  float most = 0;
  for (size_t i = 0; i < count; i++) most = fmaxf(most, fabsf(a[i]));
  for (size_t i = 0; i < count; i++) {
    if (fabsf(a[i] - b[i]) <= part * most + 0x1p-100f || (a[i] != a[i] && b[i] != b[i])) continue;
    fail(op, what, n, fill, i, a[i], b[i]);
    return;
  }
}

static bool sums_halves(ck_dtype dtype) { return other->isa == CK_ISA_AVX512_FP16 && dtype == CK_E4M3; }
static bool sums_pairs(ck_dtype dtype) {
  return (other->isa == CK_ISA_AVX512_BF16 || other->isa == CK_ISA_AMX) && (dtype == CK_BF16 || dtype == CK_E4M3);
}

static void check_matmul(ck_dtype dtype, size_t cols, size_t m, int fill, bool blocked) {
  static const char *const names[] = {"f32", "f16", "bf16", "e4m3"};
  const size_t size = dtype == CK_F32 ? 4 : dtype == CK_E4M3 ? 1 : 2;
  uint8_t *data = (uint8_t *)get(ROWS * cols * size + 1) + 1;  // at an odd address
  for (size_t i = 0; i < ROWS * cols; i++) {
    const float f = number(fill);
    uint32_t u;
    memcpy(&u, &f, 4);
    if (dtype == CK_F32) memcpy(data + 4 * i, &u, 4);
    if (dtype == CK_BF16) memcpy(data + 2 * i, (uint8_t *)&u + 2, 2);
    if (dtype == CK_F16) data[2 * i] = (uint8_t)next(), data[2 * i + 1] = (uint8_t)(next() & 0xBB);
    if (dtype == CK_E4M3) data[i] = (uint8_t)(fill == 0 || fill == 3 ? next() : fill == 1 ? next() & 0x87 : next() & 0x80);
    // NaN codes in one row only.
    if (dtype == CK_E4M3 && i / cols != 1 && (data[i] & 0x7F) == 0x7F) data[i] ^= 1;
  }
  float *scales = numbers(ROWS * (cols / 64 + 1), 0), *x = numbers(m * cols + 1, fill);
  const ck_weights w = {data, dtype == CK_E4M3 ? scales : NULL, ROWS, cols, blocked ? 4 : 1, blocked ? 64 : cols, dtype};
  float *out[2][3];
  for (int t = 0; t < 2; t++) {
    const ck_table *table = t ? other : scalar;
    const size_t stride = table->packed_row_bytes(cols, dtype);
    uint8_t *packed = get(m * stride);
    void *scratch = get(table->matmul_scratch_bytes(cols));
    for (int j = 0; j < 3; j++) out[t][j] = get((m * ROWS + cols) * sizeof(float));
    table->pack(packed, stride, m, x, cols, 0, m, cols, dtype);
    table->matmul(out[t][0], ROWS, &w, 0, ROWS, packed, stride, m, scratch);
    if (t) {
      float *alone = get(m * ROWS * sizeof(float));
      for (size_t i = 0; i < m; i++) {
        table->pack(packed, stride, 1, x + i * cols, cols, 0, 1, cols, dtype);
        table->matmul(alone + i * ROWS, ROWS, &w, 0, 5, packed, stride, 1, scratch);
        table->matmul(alone + i * ROWS, ROWS, &w, 5, ROWS, packed, stride, 1, scratch);
      }
      same("matmul", "alone", cols, fill, out[t][0], alone, m * ROWS);
    }
    table->matmul_f32(out[t][1], ROWS, &w, 0, ROWS, x, cols, m);
    table->dequantize_row(out[t][2], &w, ROWS - 1);
  }
  if (sums_halves(dtype)) {
    // It rounds activations in its own way. The sum of |w x|, of which it is within 37 * 2^-11, may be several times the largest result,
    // but errors cancel as the products do; Tests/CKernelsTests holds it to the bound itself.
    near("matmul", names[dtype], cols, fill, out[0][1], out[1][0], m * ROWS, 0x1p-8f);
  } else if (sums_pairs(dtype)) {
    near("matmul", names[dtype], cols, fill, out[0][0], out[1][0], m * ROWS, 1e-5f);
  } else {
    same("matmul", names[dtype], cols, fill, out[0][0], out[1][0], m * ROWS);
  }
  same("matmul_f32", names[dtype], cols, fill, out[0][1], out[1][1], m * ROWS);
  same("dequantize_row", names[dtype], cols, fill, out[0][2], out[1][2], cols);
  release();
}

static void check_rows(size_t n, int fill) {
  const float *x = numbers(n + 1, fill), *y = numbers(n + 1, fill);
  float *out[2][9], reduced[2][8];
  memset(reduced, 0, sizeof reduced);
  for (int t = 0; t < 2; t++) {
    const ck_table *table = t ? other : scalar;
    for (int j = 0; j < 9; j++) memcpy(out[t][j] = get((n + 1) * sizeof(float)), x, n * sizeof(float));
    table->add(out[t][0], y, n);
    table->scale(out[t][1], n, -0.3f);
    table->axpy(out[t][2], y, n, 1.7f);
    table->swiglu(out[t][3], x, y, n);
    table->mask_below(out[t][4], n, 0.1f);
    reduced[t][0] = table->sum(x, n);
    reduced[t][1] = table->dot(x, y, n);
    size_t open = 0;
    reduced[t][6] = table->range(x, n, &open);
    reduced[t][7] = (float)open;
    if (n == 0) continue;
    table->rms_norm(out[t][5], x, y, n, 1e-5f);
    table->softmax(out[t][6], x, n, 0.7f);
    table->log_softmax(out[t][7], x, n, 0.7f);
    reduced[t][2] = table->logsumexp(x, n);
    reduced[t][3] = (float)table->argmax(x, n, &reduced[t][4]);
    int32_t *ids = get((n + 1) * sizeof(int32_t));
    const size_t k = n < 90 ? n : 90;
    reduced[t][5] = (float)table->topk(ids, out[t][8], x, n, k);
    for (size_t i = 0; i < k; i++) out[t][8][i] += (float)ids[i];
  }
  static const char *const names[] = {"add",      "scale",   "axpy",        "swiglu", "mask_below",
                                      "rms_norm", "softmax", "log_softmax", "topk"};
  for (int j = 0; j < 9; j++) same(names[j], "", n, fill, out[0][j], out[1][j], n);
  same("reductions", "", n, fill, reduced[0], reduced[1], 8);
  release();
}

static void check_attention(ck_dtype dtype, size_t head_dim, size_t group, size_t chunk, int fill) {
  const size_t kv_heads = 5, heads = kv_heads * group, width = kv_heads * head_dim;
  const ck_kv_layout layout = {kv_heads, head_dim, dtype};
  const float *keys = numbers(POSITIONS * width, fill), *values = numbers(POSITIONS * width, fill);
  const float *angles = numbers(head_dim, 0);
  float *out[3];  // scalar; the other; the other, one position and one head at a time
  for (int t = 0; t < 3; t++) {
    const ck_table *table = t ? other : scalar;
    const size_t step = t == 2 ? 1 : chunk;
    const void *pages[3] = {get(ck_kv_page_bytes(&layout)), get(ck_kv_page_bytes(&layout)), get(ck_kv_page_bytes(&layout))};
    void *scratch = get(table->attend_scratch_bytes(&layout, group));
    float *q = get(POSITIONS * heads * head_dim * sizeof(float));
    for (size_t i = 0; i < POSITIONS * heads * head_dim; i++) q[i] = keys[i % (POSITIONS * width)];
    out[t] = get(POSITIONS * heads * head_dim * sizeof(float));
    for (size_t i = 0; i < POSITIONS; i++) {
      table->rope(q + i * heads * head_dim, heads, head_dim, angles, angles + head_dim / 2);
      table->kv_store(&layout, (void *)(uintptr_t)pages[i / 32], i % 32, keys + i * width, values + i * width);
    }
    for (size_t first = 0; first < POSITIONS; first += step) {
      const size_t count = POSITIONS - first < step ? POSITIONS - first : step, at = first * heads * head_dim;
      if (t == 2) {
        for (size_t head = 0; head < kv_heads; head++) {
          table->attend(out[t] + at, q + at, heads * head_dim, count, first, &layout, pages, 0, head, 1, group, 0.02f, scratch);
        }
      } else {
        table->attend(out[t] + at, q + at, heads * head_dim, count, first, &layout, pages, 0, 0, kv_heads, group, 0.02f, scratch);
      }
    }
  }
  const char *const name = dtype == CK_F32 ? "f32" : dtype == CK_BF16 ? "bf16" : "e4m3";
  const size_t count = POSITIONS * heads * head_dim;
  if (!sums_pairs(dtype) && !sums_halves(dtype)) {
    same("attend", name, head_dim, fill, out[0], out[1], count);
  } else {
    near("attend", name, head_dim, fill, out[0], out[1], count, 0.05f);
  }
  same("attend", "alone", head_dim, fill, out[1], out[2], count);
  release();
}

static void check_products(bool quick) {
  static const size_t lengths[] = {0, 1, 7, 15, 16, 17, 33, 64, 72, 128, 200, 1500};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    for (int fill = 0; fill < (quick ? 1 : 4); fill++) {
      check_rows(lengths[i], fill);
      for (int dtype = 0; dtype < 4; dtype++) {
        static const size_t batches[] = {1, 2, 3, 5, 7, 8, 13, 20, MOST};
        for (size_t m = 0; m < sizeof batches / sizeof *batches; m++) {
          for (int blocked = 0; blocked < 2; blocked++) check_matmul((ck_dtype)dtype, lengths[i], batches[m], fill, blocked);
        }
      }
    }
  }
}

static void check_attentions(bool quick) {
  for (int fill = 0; fill < (quick ? 1 : 3); fill++) {
    for (int dtype = 0; dtype < 4; dtype++) {
      if (dtype == CK_F16) continue;
      check_attention((ck_dtype)dtype, 24, 3, 7, fill);
      check_attention((ck_dtype)dtype, 64, 1, 9, fill);
      check_attention((ck_dtype)dtype, 64, 1, 1, fill);
      check_attention((ck_dtype)dtype, 32, 1, 2, fill);
      check_attention((ck_dtype)dtype, 128, 2, POSITIONS, fill);
    }
  }
}

int main(int argc, char **argv) {
  const bool quick = argc > 1 && strcmp(argv[1], "quick") == 0;
  scalar = ck_table_for(CK_ISA_SCALAR);
  printf("chosen: %s\n", ck_table_best()->name);
  for (int isa = CK_ISA_SCALAR; isa <= CK_ISA_AMX; isa++) {
    other = ck_table_for((ck_isa)isa);
    if (!other) continue;
    const int before = checks, failed = failures;
    check_products(quick);
    check_attentions(quick);
    printf("%s: %d comparisons, %d failures\n", other->name, checks - before, failures - failed);
  }
#if defined(__x86_64__)
  // AVX2's products that other processors choose.
  for (int by_halves = 0; by_halves < 2 && ck_table_for(CK_ISA_AVX2); by_halves++) {
    ck_table table = *ck_table_for(CK_ISA_AVX2);
    ck_fill_avx2(&table, by_halves);
    if (table.matmul == ck_table_for(CK_ISA_AVX2)->matmul) continue;
    other = &table;
    const int before = checks, failed = failures;
    check_products(quick);
    printf("avx2 elsewhere: %d comparisons, %d failures\n", checks - before, failures - failed);
  }
#endif
  return failures != 0;
}
