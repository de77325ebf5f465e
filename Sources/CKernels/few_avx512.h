// Up to 16 tokens on AVX-512 without BF16, where 32 registers hold the sums of a tile over whole rows: nothing waits in
// memory between chunks of columns, as in shared_panel.h.
//
// 64 codes of each of a tile's rows become half-precision numbers in memory, which never leave the first-level cache: 32
// take three instructions and a store, and a load that widens 16 of them is one, where a register's halves take three.
// Shifting codes to the top of a float32, as few_avx2.h does, would make subnormal codes subnormal numbers, for which the
// processors with these instructions stop by the hundred cycles.
#include "shared_names.h"

enum {
  CK_FEW_MOST = 16,     // tokens
  CK_FEW_TOKENS = 8,    // of a tile, at most
  CK_FEW_SLIM = 5,      // tokens, up to which tiles have CK_FEW_ROWS rows; beyond, CK_FEW_FAT_ROWS
  CK_FEW_ROWS = 4,
  CK_FEW_FAT_ROWS = 3,
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

// 64 codes as halves. seen: the largest of code << 1.
CK_INLINE void v_few_halves(uint16_t *out, const uint8_t *p, __m512i *seen) {
  const __m512i codes = _mm512_loadu_si512(p), kept = _mm512_set1_epi16((short)0xBF80);
  *seen = _mm512_max_epu8(*seen, _mm512_add_epi8(codes, codes));
  CK_UNROLL for (size_t k = 0; k < 64; k += 32) {
    const __m512i words = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(p + k)));
    _mm512_storeu_si512(out + k, _mm512_and_si512(_mm512_slli_epi16(words, 7), kept));
  }
}

// sums[r][t] += `columns` of the CK_FEW_COLUMNS elements of each row times those of token t.
CK_INLINE void v_few_step(ck_dtype dtype, size_t R, size_t T, size_t columns, ck_few_sums *sums, const uint8_t *w,
                          size_t gap_bytes, const float *x, size_t x_stride, __m512i *seen) {
  uint16_t halves[CK_FEW_ROWS][CK_FEW_COLUMNS];
  if (dtype == CK_E4M3) {
    CK_UNROLL for (size_t r = 0; r < R; r++) v_few_halves(halves[r], w + r * gap_bytes, seen);
    __asm__ volatile("" : "+m"(halves));  // or the compiler would keep them in registers and take them apart there
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
  __m512i seen = _mm512_setzero_si512();
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
  const bool have_nan = dtype == CK_E4M3 && _mm512_cmpeq_epi8_mask(seen, _mm512_set1_epi8((char)0xFE)) != 0;
  CK_UNROLL for (size_t r = 0; r < R; r++) {
    const bool has_nan = have_nan && CK_FN(row_has_nan)(data + r * gap_bytes, cols);
    const float factor = has_nan ? NAN : ck_block_factor(job->w, job->row + r * job->gap, 0, 1);
    CK_UNROLL for (size_t t = 0; t < T; t++) out[t * job->out_stride + r * job->gap] = v_reduce_add(sums.at[r][t]) * factor;
  }
}

// Rows from row_begin on, R at a time, for all tokens, in groups as even as can be; more than CK_FEW_SLIM in a group come with
// fat rows only. Returns the first row that is left, of fewer than R.
CK_INLINE size_t v_few_rows(ck_dtype dtype, size_t R, ck_few *job, size_t row_begin, size_t row_end, size_t m) {
  const size_t groups = (m + CK_FEW_TOKENS - 1) / CK_FEW_TOKENS, most = (m + groups - 1) / groups;
  job->gap = (row_end - row_begin) / R;
  for (job->row = row_begin; job->row < row_begin + job->gap; job->row++) {
    for (size_t first = 0; first < m; first += most) {
      switch (ck_min(most, m - first)) {
        case 1: v_few_tile(dtype, R, 1, job, first); break;
        case 2: v_few_tile(dtype, R, 2, job, first); break;
        case 3: v_few_tile(dtype, R, 3, job, first); break;
        case 4: v_few_tile(dtype, R, 4, job, first); break;
        case 5: v_few_tile(dtype, R, 5, job, first); break;
        case 6: v_few_tile(dtype, CK_FEW_FAT_ROWS, 6, job, first); break;
        case 7: v_few_tile(dtype, CK_FEW_FAT_ROWS, 7, job, first); break;
        case 8: v_few_tile(dtype, CK_FEW_FAT_ROWS, 8, job, first); break;
      }
    }
  }
  return row_begin + job->gap * R;
}

CK_INLINE size_t v_few_as(ck_dtype dtype, ck_few *job, size_t row_begin, size_t row_end, size_t m) {
  return m <= CK_FEW_SLIM ? v_few_rows(dtype, CK_FEW_ROWS, job, row_begin, row_end, m)
                          : v_few_rows(dtype, CK_FEW_FAT_ROWS, job, row_begin, row_end, m);
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
