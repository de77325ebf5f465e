// One token times E4M3 weights on AVX2 and AVX-512, where turning codes into numbers costs more than reading them.
//
// A code moved to the top of a float32 (its sign to bit 31, its other seven bits to bits 26-20) is the number
// value * 2^-120, subnormal codes included: two shifts and two masks where a conversion took an instruction of its own
// for every register. The contract wants value / 256, so the token is multiplied by 2^112 beforehand. Both are powers of
// two, so each product is the contract's and so is every bit of the result. A token beyond 2^16 would overflow there
// and takes the ordinary way.
//
// A register holds 16 codes of each of CK_QUARTERS rows. Taken as 16-bit words they part into odd and even codes, and
// taken as 32-bit words into numbers: vector i holds codes i, i + 4, i + 8, i + 12, which are the contract's lanes.
#include "shared_names.h"

#define CK_TOKEN_FACTOR 0x1p112f
#define CK_TOKEN_LIMIT 0x1p16f

// out: 16 numbers after 16, in each the number 4 * j + i at 4 * i + j. False if a number is beyond the limit.
// x is padded with zeros to a multiple of 16.
CK_INLINE bool v_prepare_token(float *out, const float *x, size_t cols) {
  const f32x16 limit = v_set1(CK_TOKEN_LIMIT);
  const __m128 factor = _mm_set1_ps(CK_TOKEN_FACTOR);
  uint32_t beyond = 0;
  for (size_t k = 0; k < cols; k += CK_LANES) {
    const f32x16 all = v_load(x + k);
    beyond |= v_mask_not_less(all, limit) | v_mask_not_less(v_sub(v_zero(), all), limit);
    __m128 a = _mm_loadu_ps(x + k), b = _mm_loadu_ps(x + k + 4), c = _mm_loadu_ps(x + k + 8), d = _mm_loadu_ps(x + k + 12);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(out + k, _mm_mul_ps(a, factor));
    _mm_storeu_ps(out + k + 4, _mm_mul_ps(b, factor));
    _mm_storeu_ps(out + k + 8, _mm_mul_ps(c, factor));
    _mm_storeu_ps(out + k + 12, _mm_mul_ps(d, factor));
  }
  return beyond == 0;
}

// acc[i] += 16 codes of each row times 16 numbers of the token.
CK_INLINE void v_rows_step(v_quarters acc[4], v_codes_rows codes, const float *token, v_codes_rows *seen) {
  *seen = v_codes_rows_max(*seen, codes);
  v_quarters part[4];
  v_codes_rows_part(codes, part);
  CK_UNROLL for (int i = 0; i < 4; i++) acc[i] = v_quarters_fma(part[i], v_quarters_all(token + 4 * i), acc[i]);
}

// out[0 ..< CK_QUARTERS] for as many rows.
CK_INLINE void v_rows_out(float *out, const ck_weights *w, size_t row, const float *token) {
  const size_t cols = w->cols;
  const uint8_t *data = (const uint8_t *)w->data + row * cols;
  // Rows are read side by side, but fetched from memory one after the other, a group of rows ahead.
  const uint8_t *fetch = data + (CK_AHEAD_BYTES / (CK_QUARTERS * cols + 1) + 1) * CK_QUARTERS * cols;
  v_quarters acc[4];
  CK_UNROLL for (int i = 0; i < 4; i++) acc[i] = v_quarters_zero();
  v_codes_rows seen = v_codes_rows_none();
  size_t k = 0;
  for (; k + 64 <= cols; k += 64, fetch += 64 * CK_QUARTERS) {
    CK_UNROLL for (int line = 0; line < CK_QUARTERS; line++) __builtin_prefetch(fetch + 64 * line);
    CK_UNROLL for (size_t j = k; j < k + 64; j += CK_LANES) {
      v_rows_step(acc, v_codes_rows_load(data + j, cols), token + j, &seen);
    }
  }
  for (; k < cols; k += CK_LANES) {
    uint8_t tail[CK_QUARTERS * CK_LANES] = {0};
    for (size_t r = 0; r < CK_QUARTERS; r++) memcpy(tail + r * CK_LANES, data + r * cols + k, ck_min(CK_LANES, cols - k));
    v_rows_step(acc, v_codes_rows_load(tail, CK_LANES), token + k, &seen);
  }
  float sums[4 * CK_QUARTERS];
  v_quarters_store(sums, v_quarters_add(v_quarters_add(v_quarters_sum(acc[0]), v_quarters_sum(acc[2])),
                                        v_quarters_add(v_quarters_sum(acc[1]), v_quarters_sum(acc[3]))));
  for (size_t r = 0; r < CK_QUARTERS; r++) out[r] = sums[4 * r] * ck_block_factor(w, row + r, 0, 1);
  if (!v_codes_rows_have_nan(seen)) return;
  for (size_t r = 0; r < CK_QUARTERS; r++)
    if (CK_FN(row_has_nan)(data + r * cols, cols)) out[r] = NAN;
}

static void CK_FN(matmul_or_vector)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                                    const void *x, size_t x_stride, size_t m, void *scratch) {
  if (m == 1 && w->dtype == CK_E4M3 && ck_block_columns(w) == w->cols && v_prepare_token(scratch, x, w->cols)) {
    for (; row_begin + CK_QUARTERS <= row_end; row_begin += CK_QUARTERS) {
      v_rows_out(out + row_begin, w, row_begin, scratch);
    }
  }
  CK_FN(matmul_lanes)(out, out_stride, w, row_begin, row_end, x, x_stride, m, scratch);
}
