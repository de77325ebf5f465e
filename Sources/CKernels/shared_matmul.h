// Products with weights: written once over the 16 lanes.
//
// Every product is a tile of R weight rows by T tokens whose R * T accumulators live in registers; R and T change
// nothing in any accumulator's order, so the shapes below are free to choose them by speed alone.
#include "shared_names.h"

// 16 elements of a row, or the last n < 16 of them followed by zeros.
CK_INLINE f32x16 v_weights(ck_dtype dtype, const uint8_t *p, v_codes *seen) {
  switch (dtype) {
    case CK_F32: return v_load(p);
    case CK_F16: return v_load_f16(p);
    case CK_BF16: return v_load_bf16(p);
    case CK_E4M3: return v_load_e4m3(p, seen);
  }
  __builtin_unreachable();
}

CK_INLINE f32x16 v_weights_tail(ck_dtype dtype, const uint8_t *p, size_t n, v_codes *seen) {
  CK_TAIL(tail, p, n * ck_dtype_bytes(dtype));
  return v_weights(dtype, tail, seen);
}

// 32 elements as two vectors of 16.
CK_INLINE void v_weights_32(ck_dtype dtype, const uint8_t *p, v_codes_32 *seen, f32x16 *low, f32x16 *high) {
  if (dtype == CK_E4M3) {
    v_load_e4m3_32(p, seen, low, high);
  } else {
    v_codes none = v_codes_none();
    *low = v_weights(dtype, p, &none);
    *high = v_weights(dtype, p + CK_LANES * ck_dtype_bytes(dtype), &none);
  }
}

// acc[r][t] += row r . token t over `cols` columns. w: first row's first column; x: first token's.
#define CK_MAX_TILE 6
typedef struct {
  f32x16 at[CK_MAX_TILE][CK_MAX_TILE];
} CK_FN(acc);

CK_INLINE void v_tile(ck_dtype dtype, size_t R, size_t T, CK_FN(acc) *acc, const uint8_t *w, size_t row_bytes,
                      const float *x, size_t x_stride, size_t cols, v_codes *seen) {
  const size_t bytes = ck_dtype_bytes(dtype);
  size_t k = 0;
  if (T == 1) {
    // Bound by memory, or nearly: R rows are read side by side, and memory is fetched in one stream, a group ahead.
    const uint8_t *fetch = w + (CK_AHEAD_BYTES / (R * row_bytes + 1) + 1) * R * row_bytes;
    v_codes_32 seen_32 = v_codes_32_none();
    for (; k + 64 <= cols; k += 64, fetch += R * 64 * bytes) {
      CK_UNROLL for (size_t line = 0; line < R * bytes; line++) __builtin_prefetch(fetch + 64 * line);
      CK_UNROLL for (size_t j = 0; j < 64; j += 32) {
        const f32x16 x_low = v_load(x + k + j), x_high = v_load(x + k + j + CK_LANES);
        CK_UNROLL for (size_t r = 0; r < R; r++) {
          f32x16 low, high;
          v_weights_32(dtype, w + r * row_bytes + (k + j) * bytes, &seen_32, &low, &high);
          acc->at[r][0] = v_fma(high, x_high, v_fma(low, x_low, acc->at[r][0]));
        }
      }
    }
    v_codes_32_into(seen, seen_32);
  }
  for (; k + CK_LANES <= cols; k += CK_LANES) {
    f32x16 tokens[CK_MAX_TILE];
    CK_UNROLL for (size_t t = 0; t < T; t++) tokens[t] = v_load(x + t * x_stride + k);
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      const f32x16 row = v_weights(dtype, w + r * row_bytes + k * bytes, seen);
      CK_UNROLL for (size_t t = 0; t < T; t++) acc->at[r][t] = v_fma(row, tokens[t], acc->at[r][t]);
    }
  }
  if (k < cols) {
    f32x16 tokens[CK_MAX_TILE];
    CK_UNROLL for (size_t t = 0; t < T; t++) tokens[t] = v_load_n(x + t * x_stride + k, cols - k);
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      const f32x16 row = v_weights_tail(dtype, w + r * row_bytes + k * bytes, cols - k, seen);
      CK_UNROLL for (size_t t = 0; t < T; t++) acc->at[r][t] = v_fma(row, tokens[t], acc->at[r][t]);
    }
  }
}

// A NaN times anything is NaN, so a row that holds a NaN code has NaN for every token.
static bool CK_FN(row_has_nan)(const uint8_t *codes, size_t cols) {
  bool found = false;
  for (size_t k = 0; k < cols; k++) found |= ck_e4m3_is_nan(codes[k]);
  return found;
}

typedef struct {
  float *out;
  size_t out_stride;
  const ck_weights *w;
  const float *x;
  size_t x_stride;  // floats
} CK_FN(job);

// out[token + t][row + r] for a whole tile. R, T and dtype are constants where this is inlined.
CK_INLINE void v_tile_out(ck_dtype dtype, size_t R, size_t T, const CK_FN(job) *job, size_t row, size_t token) {
  const ck_weights *w = job->w;
  const size_t bytes = ck_dtype_bytes(dtype), cols = w->cols;
  const size_t block_cols = ck_block_columns(w), blocks = cols ? (cols + block_cols - 1) / block_cols : 0;
  const size_t row_bytes = cols * bytes;
  const uint8_t *data = (const uint8_t *)w->data + row * row_bytes;
  const float *x = job->x + token * job->x_stride;
  float *out = job->out + token * job->out_stride + row;
  v_codes seen = v_codes_none();
  CK_FN(acc) acc, total;
  if (blocks <= 1) {
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      CK_UNROLL for (size_t t = 0; t < T; t++) acc.at[r][t] = v_zero();
    }
    v_tile(dtype, R, T, &acc, data, row_bytes, x, job->x_stride, cols, &seen);
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      const float factor = ck_block_factor(w, row + r, 0, 1);
      CK_UNROLL for (size_t t = 0; t < T; t++) out[t * job->out_stride + r] = v_reduce_add(acc.at[r][t]) * factor;
    }
  } else {
    for (size_t r = 0; r < R; r++)
      for (size_t t = 0; t < T; t++) total.at[r][t] = v_zero();
    for (size_t block = 0; block < blocks; block++) {
      const size_t begin = block * block_cols, count = ck_min(block_cols, cols - begin);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        CK_UNROLL for (size_t t = 0; t < T; t++) acc.at[r][t] = v_zero();
      }
      v_tile(dtype, R, T, &acc, data + begin * bytes, row_bytes, x + begin, job->x_stride, count, &seen);
      CK_UNROLL for (size_t r = 0; r < R; r++) {
        const f32x16 factor = v_set1(ck_block_factor(w, row + r, block, blocks));
        CK_UNROLL for (size_t t = 0; t < T; t++) total.at[r][t] = v_fma(acc.at[r][t], factor, total.at[r][t]);
      }
    }
    for (size_t r = 0; r < R; r++)
      for (size_t t = 0; t < T; t++) out[t * job->out_stride + r] = v_reduce_add(total.at[r][t]);
  }
  if (dtype == CK_E4M3 && v_codes_have_nan(seen)) {
    for (size_t r = 0; r < R; r++)
      if (CK_FN(row_has_nan)(data + r * row_bytes, cols))
        for (size_t t = 0; t < T; t++) out[t * job->out_stride + r] = NAN;
  }
}

CK_INLINE void v_matmul_as(ck_dtype dtype, const CK_FN(job) *job, size_t row_begin, size_t row_end, size_t m) {
  size_t row = row_begin, token = 0;
  if (m == 1) {
    for (; row + CK_VECTOR_ROWS <= row_end; row += CK_VECTOR_ROWS) v_tile_out(dtype, CK_VECTOR_ROWS, 1, job, row, 0);
    for (; row < row_end; row++) v_tile_out(dtype, 1, 1, job, row, 0);
    return;
  }
  for (; row + CK_TILE_ROWS <= row_end; row += CK_TILE_ROWS) {
    for (token = 0; token + CK_TILE_TOKENS <= m; token += CK_TILE_TOKENS) {
      v_tile_out(dtype, CK_TILE_ROWS, CK_TILE_TOKENS, job, row, token);
    }
    for (; token < m; token++) v_tile_out(dtype, CK_TILE_ROWS, 1, job, row, token);
  }
  for (; row < row_end; row++) {
    for (token = 0; token < m; token++) v_tile_out(dtype, 1, 1, job, row, token);
  }
}

static void CK_FN(run)(ck_dtype dtype, const CK_FN(job) *job, size_t row_begin, size_t row_end, size_t m) {
  switch (dtype) {
    case CK_F32: v_matmul_as(CK_F32, job, row_begin, row_end, m); break;
    case CK_F16: v_matmul_as(CK_F16, job, row_begin, row_end, m); break;
    case CK_BF16: v_matmul_as(CK_BF16, job, row_begin, row_end, m); break;
    case CK_E4M3: v_matmul_as(CK_E4M3, job, row_begin, row_end, m); break;
  }
}

static void CK_FN(matmul_f32)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                              const float *x, size_t x_stride, size_t m) {
  const CK_FN(job) job = {out, out_stride, w, x, x_stride};
  CK_FN(run)(w->dtype, &job, row_begin, row_end, m);
}

// --- packed activations: float32 values, rounded to bfloat16 for CK_BF16 and CK_E4M3 weights ---------------------

// Rows of a multiple of 4 KiB would meet in the same sets of the first-level cache; half a page between them spreads
// the tokens that pass over a panel evenly.
static size_t CK_FN(packed_row_bytes)(size_t cols, ck_dtype dtype) {
  (void)dtype;
  const size_t bytes = ck_round_up(cols * sizeof(float), 64);
  return bytes < 4096 ? bytes : bytes + (4096 + 2048 - bytes % 4096) % 4096;
}

static void CK_FN(pack)(void *x, size_t x_stride, size_t m, const float *in, size_t in_stride, size_t begin, size_t end,
                        size_t cols, ck_dtype dtype) {
  (void)m;
  const bool round = dtype == CK_BF16 || dtype == CK_E4M3;
  for (size_t row = begin; row < end; row++) {
    const float *from = in + row * in_stride;
    float *to = (float *)((uint8_t *)x + row * x_stride);
    for (size_t i = 0; i < cols; i += CK_LANES) {
      const f32x16 values = cols - i >= CK_LANES ? v_load(from + i) : v_load_n(from + i, cols - i);
      v_store(to + i, round ? v_round_bf16(values) : values);
    }
  }
}

static void CK_FN(matmul)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                          const void *x, size_t x_stride, size_t m, void *scratch) {
  (void)scratch;
  CK_FN(matmul_f32)(out, out_stride, w, row_begin, row_end, x, x_stride / sizeof(float), m);
}

static size_t CK_FN(matmul_scratch_bytes)(size_t cols) {
  (void)cols;
  return 64;
}

static inline void CK_FN(fill_matmul)(ck_table *table) {
  table->packed_row_bytes = CK_FN(packed_row_bytes);
  table->pack = CK_FN(pack);
  table->matmul = CK_FN(matmul);
  table->matmul_scratch_bytes = CK_FN(matmul_scratch_bytes);
  table->matmul_f32 = CK_FN(matmul_f32);
}
