// One to three tokens times E4M3 weights on AVX2 of AMD's processors, by fewer instructions than by way of half precision
// (shared_few.h). Two tokens share what turning codes into numbers takes; sums of three would not fit in the registers.
//
// A code moved to the top of a float32 (its sign to bit 31, its other seven bits to bits 26-20) is the number
// value * 2^-120, subnormal codes included: two shifts and two masks where a conversion took an instruction of its own
// for every register. The contract wants value / 256, so the token is multiplied by 2^112 beforehand. Both are powers of
// two, so each product is the contract's and so is every bit of the result. A token beyond 2^16 would overflow there
// and all go the other way.
//
// A register holds 16 codes of each of CK_QUARTERS rows. Taken as 16-bit words they part into odd and even codes, and
// taken as 32-bit words into numbers: vector i holds codes i, i + 4, i + 8, i + 12, which are the contract's lanes.
#include "shared_names.h"

enum {
  CK_SHIFTED_MOST = 3,          // tokens
  CK_SHIFTED_AHEAD = 512,       // bytes that each row is fetched ahead into the first-level cache,
  CK_SHIFTED_FAR_AHEAD = 4096,  // and into the second-level cache
};

// 16 codes, or 4 numbers, of each of two rows.
enum { CK_QUARTERS = 2 };
typedef __m256i v_codes_rows;
typedef __m256 v_quarters;
CK_INLINE v_codes_rows v_codes_rows_none(void) { return _mm256_setzero_si256(); }
CK_INLINE v_codes_rows v_codes_rows_load(const uint8_t *p, size_t row_bytes) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)p)),
                                 _mm_loadu_si128((const __m128i *)(const void *)(p + row_bytes)), 1);
}
CK_INLINE v_codes_rows v_codes_rows_max(v_codes_rows seen, v_codes_rows codes) {
  return _mm256_max_epu8(seen, _mm256_add_epi8(codes, codes));
}
CK_INLINE void v_codes_rows_part(v_codes_rows codes, v_quarters part[4]) {
  const __m256i kept = _mm256_set1_epi16((short)0x87F0), high = _mm256_set1_epi32((int)0xFFFF0000);
  const __m256i odd = _mm256_and_si256(_mm256_srai_epi16(codes, 4), kept);
  const __m256i even = _mm256_and_si256(_mm256_srai_epi16(_mm256_slli_epi16(codes, 8), 4), kept);
  part[0] = _mm256_castsi256_ps(_mm256_slli_epi32(even, 16));
  part[1] = _mm256_castsi256_ps(_mm256_slli_epi32(odd, 16));
  part[2] = _mm256_castsi256_ps(_mm256_and_si256(even, high));
  part[3] = _mm256_castsi256_ps(_mm256_and_si256(odd, high));
}
CK_INLINE v_quarters v_quarters_zero(void) { return _mm256_setzero_ps(); }
CK_INLINE v_quarters v_quarters_all(const float *four) { return _mm256_broadcast_ps((const __m128 *)(const void *)four); }
CK_INLINE v_quarters v_quarters_add(v_quarters a, v_quarters b) { return _mm256_add_ps(a, b); }
CK_INLINE v_quarters v_quarters_fma(v_quarters a, v_quarters b, v_quarters c) { return _mm256_fmadd_ps(a, b, c); }
// In each place of a row the sum of its four numbers: (0 + 2) + (1 + 3).
CK_INLINE v_quarters v_quarters_sum(v_quarters a) {
  a = _mm256_add_ps(a, _mm256_shuffle_ps(a, a, 0x4E));
  return _mm256_add_ps(a, _mm256_shuffle_ps(a, a, 0xB1));
}
CK_INLINE void v_quarters_store(float *p, v_quarters a) { _mm256_storeu_ps(p, a); }

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

// Floats from one prepared token to the next: not a multiple of a page.
CK_INLINE size_t v_token_stride(size_t cols) { return ck_round_up(cols, CK_LANES) + CK_LANES; }

// acc[t][i] += 16 codes of each row times 16 numbers of token t.
CK_INLINE void v_rows_step(size_t T, v_quarters acc[2][4], v_codes_rows codes, const float *tokens, size_t stride,
                           v_codes_rows *seen) {
  *seen = v_codes_rows_max(*seen, codes);
  v_quarters part[4];
  v_codes_rows_part(codes, part);
  CK_UNROLL for (int i = 0; i < 4; i++) {
    CK_UNROLL for (size_t t = 0; t < T; t++) {
      acc[t][i] = v_quarters_fma(part[i], v_quarters_all(tokens + t * stride + 4 * i), acc[t][i]);
    }
  }
}

// out[t * out_stride + r * gap] for CK_QUARTERS rows, `gap` rows apart, and T <= 2 tokens.
CK_INLINE void v_rows_out(size_t T, float *out, size_t out_stride, const ck_weights *w, size_t row, size_t gap,
                          const float *tokens) {
  const size_t cols = w->cols, stride = v_token_stride(cols);
  const size_t gap_bytes = gap * cols;
  const uint8_t *data = (const uint8_t *)w->data + row * cols;
  v_quarters acc[2][4];
  CK_UNROLL for (size_t t = 0; t < T; t++) {
    CK_UNROLL for (int i = 0; i < 4; i++) acc[t][i] = v_quarters_zero();
  }
  v_codes_rows seen = v_codes_rows_none();
  size_t k = 0;
  for (; k + 64 <= cols; k += 64) {
    CK_UNROLL for (size_t r = 0; r < CK_QUARTERS; r++) {
      const char *at = (const char *)data + r * gap_bytes + k;
      _mm_prefetch(at + CK_SHIFTED_AHEAD, _MM_HINT_T0);
      _mm_prefetch(at + CK_SHIFTED_FAR_AHEAD, _MM_HINT_T1);
    }
    CK_UNROLL for (size_t j = 0; j < 64; j += CK_LANES) {
      v_rows_step(T, acc, v_codes_rows_load(data + k + j, gap_bytes), tokens + k + j, stride, &seen);
    }
  }
  for (; k < cols; k += CK_LANES) {
    uint8_t tail[CK_QUARTERS * CK_LANES] = {0};
    for (size_t r = 0; r < CK_QUARTERS; r++) memcpy(tail + r * CK_LANES, data + r * gap_bytes + k, ck_min(CK_LANES, cols - k));
    v_rows_step(T, acc, v_codes_rows_load(tail, CK_LANES), tokens + k, stride, &seen);
  }
  CK_UNROLL for (size_t t = 0; t < T; t++) {
    float sums[4 * CK_QUARTERS];
    v_quarters_store(sums, v_quarters_add(v_quarters_add(v_quarters_sum(acc[t][0]), v_quarters_sum(acc[t][2])),
                                          v_quarters_add(v_quarters_sum(acc[t][1]), v_quarters_sum(acc[t][3]))));
    CK_UNROLL for (size_t r = 0; r < CK_QUARTERS; r++) {
      out[t * out_stride + r * gap] = sums[4 * r] * ck_block_factor(w, row + r * gap, 0, 1);
    }
  }
  if (!v_codes_64_have_nan(seen)) return;
  for (size_t r = 0; r < CK_QUARTERS; r++) {
    if (!CK_FN(row_has_nan)(data + r * gap_bytes, cols)) continue;
    for (size_t t = 0; t < T; t++) out[t * out_stride + r * gap] = NAN;
  }
}

// Prepared tokens one after the other. False if a number of any is beyond the limit.
CK_INLINE bool v_prepare_tokens(float *out, const uint8_t *x, size_t x_stride, size_t m, size_t cols) {
  for (size_t t = 0; t < m; t++) {
    if (!v_prepare_token(out + t * v_token_stride(cols), (const float *)(const void *)(x + t * x_stride), cols)) return false;
  }
  return true;
}

// Rows that share a register lie far apart, so that memory is read in as many streams.
// scratch: the prepared tokens
static void CK_FN(matmul_shifted_or_few)(float *out, size_t out_stride, const ck_weights *w, size_t row_begin, size_t row_end,
                                         const void *x, size_t x_stride, size_t m, void *scratch) {
  const float *tokens = scratch;
  const size_t stride = v_token_stride(w->cols), gap = (row_end - row_begin) / CK_QUARTERS;
  if (m <= CK_SHIFTED_MOST && w->dtype == CK_E4M3 && ck_block_columns(w) == w->cols &&
      v_prepare_tokens(scratch, x, x_stride, m, w->cols)) {
    for (size_t row = row_begin; row < row_begin + gap; row++) {
      size_t t = 0;
      for (; t + 2 <= m; t += 2) v_rows_out(2, out + t * out_stride + row, out_stride, w, row, gap, tokens + t * stride);
      if (t < m) v_rows_out(1, out + t * out_stride + row, out_stride, w, row, gap, tokens + t * stride);
    }
    row_begin += gap * CK_QUARTERS;
  }
  CK_FN(matmul_few_or_lanes)(out, out_stride, w, row_begin, row_end, x, x_stride, m, scratch);
}
