// Attention over E4M3 pages by VFMADDPH. Others go to the shared kernel.
//
// A row of queries is multiplied by a power of two that brings its largest to 256..<512 (less for more than 256 dimensions), a page's
// probabilities, times the values' scales, by one that brings the largest to 512..<1024; both are rounded to half precision, nearest
// even. Sums are half precision for a fourth of the dimensions (scores) or half of a page (values), so at most 64 * 512 * 448 / 256,
// then float32: neighbouring places of a word are added up there, and a page's output is added to that of the pages before.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#include "contract.h"
#include "fill.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512fp16,gfni,avx2,fma,f16c"))), apply_to = function)
#define CK_ISA_NAME avx512fp16
#include "lanes_avx512.h"

#include "expand_avx512fp16.h"

enum { CK_FETCHES_HEADS = 1 };
#define ck_word __m512h
#define ck_sum __m512h

CK_INLINE f32x16 v_pairs(__m512h sum) {
  const __m512i halves = (__m512i)sum, one = _mm512_set1_epi32(1);
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const f32x16 low = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
  const f32x16 high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1));
  return v_add(_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, _mm512_or_si512(even, one), high));
}
CK_INLINE __m512h v_values_begin(__mmask16 lanes, const float *before, f32x16 factor) {
  (void)lanes, (void)before, (void)factor;
  return v_zero_sum();
}
CK_INLINE void v_values_end(__m512h sum, __mmask16 lanes, float *at, f32x16 factor, float unit) {
  const f32x16 before = v_mul(_mm512_maskz_loadu_ps(lanes, at), factor);
  _mm512_mask_storeu_ps(at, lanes, v_fma(v_pairs(sum), v_set1(unit), before));
}

CK_INLINE __m256i v_halves(f32x16 x, float power) {
  return _mm512_cvtps_ph(v_mul(x, v_set1(power)), _MM_FROUND_TO_NEAREST_INT);
}

CK_INLINE float v_pack_words(void *out, const float *q, size_t head_dim) {
  int exponent = 8 - ck_largest_exponent(q, head_dim);
  for (size_t d = 256; d < head_dim; d *= 2) exponent--;
  uint16_t *to = out;
  for (size_t i = 0; i < head_dim; i += CK_LANES) {
    const size_t n = ck_min(CK_LANES, head_dim - i);
    _mm256_mask_storeu_epi16(to + i, v_first(n), v_halves(n == CK_LANES ? v_load(q + i) : v_load_n(q + i, n), v_power_of_two(exponent)));
  }
  return v_power_of_two(-exponent) * CK_E4M3_FACTOR;
}

CK_INLINE float v_pack_probabilities(void *out, f32x16 low, f32x16 high) {
  const int exponent = 9 - v_exponent(v_larger(v_larger(v_largest(), low), high));
  const __m256i first = v_halves(low, v_power_of_two(exponent)), second = v_halves(high, v_power_of_two(exponent));
  _mm512_store_si512(out, _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1));
  return v_power_of_two(-exponent) * CK_E4M3_FACTOR;
}

static bool ck_attends_words(ck_dtype dtype) { return dtype == CK_E4M3; }

#include "packed_attention.h"
#pragma clang attribute pop

void ck_fill_avx512fp16_attention(ck_table *table) {
  table->attend = ck_attend;
  table->attend_scratch_bytes = ck_attend_scratch_bytes;
}
#endif
