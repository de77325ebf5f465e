// Attention over BF16 and E4M3 pages by VDPBF16PS. F32 pages go to the shared kernel.
//
// Queries and probabilities are rounded to bfloat16; scores, maxima, sums and the output stay float32. With BF16 pages an
// output differs from the exact one by at most about 2^-7 of the largest |value| seen, and 2^-8 of the scores' size.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#include "contract.h"
#include "fill.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512bf16,avx2,fma,f16c"))), apply_to = function)
#define CK_ISA_NAME avx512bf16
#include "lanes_avx512.h"

#include "expand_avx512bf16.h"
#include "bf16_blocks.h"

enum { CK_FETCHES_HEADS = 0 };
#define ck_word __m512bh
#define ck_sum f32x16

CK_INLINE f32x16 v_zero_sum(void) { return v_zero(); }
CK_INLINE f32x16 v_dot(f32x16 sum, __m512bh a, __m512bh b) { return _mm512_dpbf16_ps(sum, a, b); }
CK_INLINE f32x16 v_pairs(f32x16 sum) { return sum; }
CK_INLINE f32x16 v_values_begin(__mmask16 lanes, const float *before, f32x16 factor) {
  return v_mul(_mm512_maskz_loadu_ps(lanes, before), factor);
}
CK_INLINE void v_values_end(f32x16 sum, __mmask16 lanes, float *at, f32x16 factor, float unit) {
  (void)factor, (void)unit;
  _mm512_mask_storeu_ps(at, lanes, sum);
}
CK_INLINE float v_pack_words(void *out, const float *q, size_t head_dim) {
  v_pack_query(out, q, head_dim);
  return 1;
}
CK_INLINE float v_pack_probabilities(void *out, f32x16 low, f32x16 high) {
  _mm512_store_si512(out, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  return 1;
}
static bool ck_attends_words(ck_dtype dtype) { return dtype == CK_BF16 || dtype == CK_E4M3; }

#include "packed_attention.h"
#pragma clang attribute pop

void ck_fill_avx512bf16_attention(ck_table *table) {
  table->attend = ck_attend;
  table->attend_scratch_bytes = ck_attend_scratch_bytes;
}
#endif
