// The 16 lanes as one AVX-512 register. Each operation equals that of lanes_scalar.h, where its meaning is written.
#ifndef CK_ISA_NAME
#define CK_ISA_NAME avx512
#endif

typedef __m512 f32x16;

CK_INLINE f32x16 v_set1(float a) { return _mm512_set1_ps(a); }
CK_INLINE f32x16 v_zero(void) { return _mm512_setzero_ps(); }

CK_INLINE __mmask16 v_first(size_t n) { return (__mmask16)((1u << n) - 1); }
CK_INLINE f32x16 v_load(const void *p) { return _mm512_loadu_ps(p); }
CK_INLINE f32x16 v_load_n(const void *p, size_t n) { return _mm512_maskz_loadu_ps(v_first(n), p); }
CK_INLINE void v_store(float *p, f32x16 a) { _mm512_storeu_ps(p, a); }
CK_INLINE void v_store_n(float *p, f32x16 a, size_t n) { _mm512_mask_storeu_ps(p, v_first(n), a); }

CK_INLINE f32x16 v_add(f32x16 a, f32x16 b) { return _mm512_add_ps(a, b); }
CK_INLINE f32x16 v_sub(f32x16 a, f32x16 b) { return _mm512_sub_ps(a, b); }
CK_INLINE f32x16 v_mul(f32x16 a, f32x16 b) { return _mm512_mul_ps(a, b); }
CK_INLINE f32x16 v_div(f32x16 a, f32x16 b) { return _mm512_div_ps(a, b); }
CK_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c) { return _mm512_fmadd_ps(a, b, c); }
CK_INLINE f32x16 v_max(f32x16 a, f32x16 b) { return _mm512_max_ps(a, b); }
CK_INLINE f32x16 v_select_less(f32x16 a, f32x16 b, f32x16 yes, f32x16 no) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
CK_INLINE f32x16 v_keep_nan(f32x16 a, f32x16 b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), b, a);
}
CK_INLINE f32x16 v_scale_by_power(f32x16 p, f32x16 t) {
  const __m512i power = _mm512_slli_epi32(_mm512_castps_si512(t), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), power));
}
CK_INLINE f32x16 v_round_bf16(f32x16 a) {
  const __m512i u = _mm512_castps_si512(a), high = _mm512_set1_epi32((int)0xFFFF0000);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __m512i quiet = _mm512_or_si512(u, _mm512_set1_epi32(0x400000));
  const __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_mask_blend_epi32(nan, rounded, quiet), high));
}

CK_INLINE float v_reduce_add(f32x16 a) {
  const __m256 a8 = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  const __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
  const __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
  return _mm_cvtss_f32(_mm_add_ss(a2, _mm_movehdup_ps(a2)));
}
CK_INLINE float v_reduce_max(f32x16 a) { return _mm512_reduce_max_ps(a); }
CK_INLINE uint32_t v_mask_not_less(f32x16 a, f32x16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }

typedef __m128i v_codes;  // the largest of code << 1, which loses the sign
CK_INLINE v_codes v_codes_none(void) { return _mm_setzero_si128(); }
CK_INLINE bool v_codes_have_nan(v_codes seen) {
  return _mm_movemask_epi8(_mm_cmpeq_epi8(seen, _mm_set1_epi8((char)0xFE))) != 0;
}

CK_INLINE f32x16 v_load_bf16(const void *p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
CK_INLINE f32x16 v_load_f16(const void *p) { return _mm512_cvtph_ps(_mm256_loadu_si256(p)); }

// Codes in the high bytes of 16 words become half-precision numbers: the sign stays, the rest moves down by one.
CK_INLINE f32x16 v_parts(__m256i words) {
  return _mm512_cvtph_ps(_mm256_and_si256(_mm256_srai_epi16(words, 1), _mm256_set1_epi16((short)0xBF80)));
}
CK_INLINE f32x16 v_load_e4m3(const void *p, v_codes *seen) {
  const __m128i codes = _mm_loadu_si128(p);
  *seen = _mm_max_epu8(*seen, _mm_add_epi8(codes, codes));
  return v_parts(_mm256_slli_epi16(_mm256_cvtepu8_epi16(codes), 8));
}

typedef __m256i v_codes_32;
CK_INLINE v_codes_32 v_codes_32_none(void) { return _mm256_setzero_si256(); }
CK_INLINE void v_codes_32_into(v_codes *seen, v_codes_32 more) {
  *seen = _mm_max_epu8(*seen, _mm_max_epu8(_mm256_castsi256_si128(more), _mm256_extracti128_si256(more, 1)));
}
CK_INLINE void v_load_e4m3_32(const void *p, v_codes_32 *seen, f32x16 *low, f32x16 *high) {
  const __m256i codes = _mm256_loadu_si256(p);
  *seen = _mm256_max_epu8(*seen, _mm256_add_epi8(codes, codes));
  const __m512i words = _mm512_srai_epi16(_mm512_slli_epi16(_mm512_cvtepu8_epi16(codes), 8), 1);
  const __m512i f16 = _mm512_and_si512(words, _mm512_set1_epi16((short)0xBF80));
  *low = _mm512_cvtph_ps(_mm512_castsi512_si256(f16));
  *high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(f16, 1));
}

CK_INLINE void v_load_pairs_f32(const void *p, f32x16 *first, f32x16 *second) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512 a = _mm512_loadu_ps(p), b = _mm512_loadu_ps((const float *)p + CK_LANES);
  *first = _mm512_permutex2var_ps(a, even, b);
  *second = _mm512_permutex2var_ps(a, _mm512_or_si512(even, _mm512_set1_epi32(1)), b);
}
CK_INLINE void v_load_pairs_bf16(const void *p, f32x16 *first, f32x16 *second) {
  const __m512i pairs = _mm512_loadu_si512(p);
  *first = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
  *second = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32((int)0xFFFF0000)));
}
CK_INLINE void v_load_pairs_e4m3(const void *p, f32x16 *first, f32x16 *second) {
  const __m256i pairs = _mm256_loadu_si256(p);
  *first = v_parts(_mm256_slli_epi16(pairs, 8));
  *second = v_parts(pairs);
}

enum { CK_TILE_ROWS = 4, CK_TILE_TOKENS = 4, CK_VECTOR_ROWS = 4, CK_ATTEND_TOGETHER = 4 };

// A slice of the lanes, here all of them: what shared_panel.h works with.
typedef f32x16 v_slice;
enum { CK_SLICE_LANES = 16, CK_PANEL_TILE_TOKENS = 8 };
CK_INLINE v_slice v_slice_set1(float a) { return v_set1(a); }
CK_INLINE v_slice v_slice_load(const float *p) { return v_load(p); }
CK_INLINE void v_slice_store(float *p, v_slice a) { v_store(p, a); }
CK_INLINE v_slice v_slice_fma(v_slice a, v_slice b, v_slice c) { return v_fma(a, b, c); }
#include "narrow_float.h"
