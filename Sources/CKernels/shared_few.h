// A few tokens, at most CK_FEW_MOST: the sums of a tile of rows by tokens stay in registers over whole rows, where
// shared_panel.h lets them wait in memory between chunks of columns.
//
// 64 codes of each of a tile's rows become half-precision numbers in memory, which never leave the first-level cache: a
// register of them takes three instructions and a store, and a load that widens as many as are multiplied at once is one, where
// a register's halves take three. Shifting codes to the top of a float32 takes fewer, but makes subnormal codes subnormal
// numbers, and Intel's processors stop for a hundred cycles at each that is multiplied.
//
// What includes this supplies, besides its lanes:
//   CK_FEW_MOST      tokens; up to CK_FEW_TOKENS share a tile
//   CK_FEW_SLIM      tokens up to which a tile has CK_FEW_ROWS rows; beyond, CK_FEW_FAT_ROWS
//   v_halves_64      64 codes as half-precision numbers; seen: the largest of code << 1
#include "shared_names.h"

enum {
  CK_FEW_ROWS = 4,
  CK_FEW_COLUMNS = 64,  // that become numbers at a time
  CK_FEW_AHEAD = 2048,  // bytes that each row is fetched ahead
};

typedef struct {
  float *out;
  size_t out_stride;
  const ck_weights *w;
  size_t row, gap;  // a tile's rows lie `gap` rows apart, so that memory is read in as many streams
  const float *x;
  size_t x_stride;  // floats
} ck_few;

typedef struct {
  f32x16 at[CK_FEW_ROWS][CK_FEW_TOKENS];
} ck_few_sums;

// sums[r][t] += `columns` of the CK_FEW_COLUMNS elements of each row times those of token t.
CK_INLINE void v_few_step(ck_dtype dtype, size_t R, size_t T, size_t columns, ck_few_sums *sums, const uint8_t *w,
                          size_t gap_bytes, const float *x, size_t x_stride, v_codes_64 *seen) {
  _Alignas(64) uint16_t halves[CK_FEW_ROWS][CK_FEW_COLUMNS];
  if (dtype == CK_E4M3) {
    CK_UNROLL for (size_t r = 0; r < R; r++) v_halves_64(halves[r], w + r * gap_bytes, seen);
    // Or the compiler would keep them in registers and take them apart there, and look for NaN codes when it needs the room.
    __asm__ volatile("" : "+m"(halves), "+v"(*seen));
  }
  CK_UNROLL for (size_t k = 0; k < columns; k += CK_LANES) {
    f32x16 row[CK_FEW_ROWS];
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      v_codes none = v_codes_none();
      row[r] = dtype == CK_E4M3 ? v_load_f16(halves[r] + k)
                                : v_weights(dtype, w + r * gap_bytes + k * ck_dtype_bytes(dtype), &none);
    }
    CK_UNROLL for (size_t t = 0; t < T; t++) {
      const f32x16 token = v_load(x + t * x_stride + k);
      CK_UNROLL for (size_t r = 0; r < R; r++) sums->at[r][t] = v_fma(row[r], token, sums->at[r][t]);
    }
  }
}

// The tile of R rows from job->row on and T tokens from `first` on.
CK_INLINE void v_few_tile(ck_dtype dtype, size_t R, size_t T, const ck_few *job, size_t first) {
  const size_t cols = job->w->cols, bytes = ck_dtype_bytes(dtype), gap_bytes = job->gap * cols * bytes;
  const uint8_t *data = (const uint8_t *)job->w->data + job->row * cols * bytes;
  const float *x = job->x + first * job->x_stride;
  float *out = job->out + first * job->out_stride + job->row;
  ck_few_sums sums;
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    CK_UNROLL for (size_t t = 0; t < T; t++) sums.at[r][t] = v_zero();
  }
  v_codes_64 seen = v_codes_64_none();
  size_t k = 0;
  for (; k + CK_FEW_COLUMNS <= cols; k += CK_FEW_COLUMNS) {
    CK_UNROLL for (size_t r = 0; r < R; r++) {
      CK_UNROLL for (size_t line = 0; line < bytes; line++) {
        __builtin_prefetch(data + r * gap_bytes + k * bytes + 64 * line + CK_FEW_AHEAD);
      }
    }
    v_few_step(dtype, R, T, CK_FEW_COLUMNS, &sums, data + k * bytes, gap_bytes, x + k, job->x_stride, &seen);
  }
  for (; k < cols; k += CK_LANES) {
    uint8_t tail[CK_FEW_ROWS][4 * CK_FEW_COLUMNS] = {0};
    for (size_t r = 0; r < R; r++) memcpy(tail[r], data + r * gap_bytes + k * bytes, ck_min(CK_LANES, cols - k) * bytes);
    v_few_step(dtype, R, T, CK_LANES, &sums, tail[0], sizeof tail[0], x + k, job->x_stride, &seen);
  }
  const bool have_nan = dtype == CK_E4M3 && v_codes_64_have_nan(seen);
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    const bool has_nan = have_nan && CK_FN(row_has_nan)(data + r * gap_bytes, cols);
    const float factor = has_nan ? NAN : ck_block_factor(job->w, job->row + r * job->gap, 0, 1);
    CK_UNROLL for (size_t t = 0; t < T; t++) out[t * job->out_stride + r * job->gap] = v_reduce_add(sums.at[r][t]) * factor;
  }
}

// A tile of R rows by `count` tokens, whose sums fit in the registers. R is a constant where this is inlined.
CK_INLINE void v_few_tokens(ck_dtype dtype, size_t R, const ck_few *job, size_t first, size_t count) {
#define CK_FEW_CASE(T) \
  case T: \
    if (T <= (R == CK_FEW_ROWS ? CK_FEW_SLIM : CK_FEW_TOKENS)) v_few_tile(dtype, R, T, job, first); \
    break
  switch (count) {
    CK_FEW_CASE(1);
    CK_FEW_CASE(2);
    CK_FEW_CASE(3);
    CK_FEW_CASE(4);
    CK_FEW_CASE(5);
    CK_FEW_CASE(6);
    CK_FEW_CASE(7);
    CK_FEW_CASE(8);
    default: __builtin_unreachable();
  }
#undef CK_FEW_CASE
}

// Rows from row_begin on, R at a time, for all tokens, `most` at a time. Returns the first row that is left, of fewer
// than R.
CK_INLINE size_t v_few_rows(ck_dtype dtype, size_t R, ck_few *job, size_t row_begin, size_t row_end, size_t m, size_t most) {
  job->gap = (row_end - row_begin) / R;
  for (job->row = row_begin; job->row < row_begin + job->gap; job->row++) {
    for (size_t first = 0; first < m; first += most) v_few_tokens(dtype, R, job, first, ck_min(most, m - first));
  }
  return row_begin + job->gap * R;
}

// Tokens in groups as even as can be.
CK_INLINE size_t v_few_as(ck_dtype dtype, ck_few *job, size_t row_begin, size_t row_end, size_t m) {
  const size_t groups = (m + CK_FEW_TOKENS - 1) / CK_FEW_TOKENS, most = (m + groups - 1) / groups;
  return most <= CK_FEW_SLIM ? v_few_rows(dtype, CK_FEW_ROWS, job, row_begin, row_end, m, most)
                             : v_few_rows(dtype, CK_FEW_FAT_ROWS, job, row_begin, row_end, m, most);
}

static void CK_FN(matmul_few_or_lanes)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                                       const void *x, size_t x_stride, size_t m, void *scratch) {
  if (m > 0 && m <= CK_FEW_MOST && ck_block_columns(w) == w->cols) {
    ck_few job = {.out = out, .out_stride = out_stride, .w = w, .x = x, .x_stride = x_stride / sizeof(float)};
    switch (w->dtype) {
      case CK_F32: row_begin = v_few_as(CK_F32, &job, row_begin, row_end, m); break;
      case CK_F16: row_begin = v_few_as(CK_F16, &job, row_begin, row_end, m); break;
      case CK_BF16: row_begin = v_few_as(CK_BF16, &job, row_begin, row_end, m); break;
      case CK_E4M3: row_begin = v_few_as(CK_E4M3, &job, row_begin, row_end, m); break;
    }
  }
  CK_FN(matmul_lanes)(out, out_stride, w, row_begin, row_end, x, x_stride, m, scratch);
}
