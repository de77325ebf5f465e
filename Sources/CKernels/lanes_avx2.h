// The 16 lanes as two AVX2 registers. Each operation equals that of lanes_scalar.h, where its meaning is written.
#define CK_ISA_NAME avx2

typedef struct {
  __m256 low, high;
} f32x16;

CK_INLINE f32x16 v_pair(__m256 low, __m256 high) { return (f32x16){low, high}; }
CK_INLINE f32x16 v_set1(float a) { return v_pair(_mm256_set1_ps(a), _mm256_set1_ps(a)); }
CK_INLINE f32x16 v_zero(void) { return v_pair(_mm256_setzero_ps(), _mm256_setzero_ps()); }

CK_INLINE f32x16 v_load(const void *p) { return v_pair(_mm256_loadu_ps(p), _mm256_loadu_ps((const float *)p + 8)); }
CK_INLINE f32x16 v_load_n(const void *p, size_t n) {
  float copy[CK_LANES] = {0};
  memcpy(copy, p, n * sizeof(float));
  return v_load(copy);
}
CK_INLINE void v_store(float *p, f32x16 a) {
  _mm256_storeu_ps(p, a.low);
  _mm256_storeu_ps(p + 8, a.high);
}
CK_INLINE void v_store_n(float *p, f32x16 a, size_t n) {
  float copy[CK_LANES];
  v_store(copy, a);
  memcpy(p, copy, n * sizeof(float));
}

CK_INLINE f32x16 v_add(f32x16 a, f32x16 b) {
  return v_pair(_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high));
}
CK_INLINE f32x16 v_sub(f32x16 a, f32x16 b) {
  return v_pair(_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high));
}
CK_INLINE f32x16 v_mul(f32x16 a, f32x16 b) {
  return v_pair(_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high));
}
CK_INLINE f32x16 v_div(f32x16 a, f32x16 b) {
  return v_pair(_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high));
}
CK_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c) {
  return v_pair(_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high));
}
CK_INLINE f32x16 v_max(f32x16 a, f32x16 b) {
  return v_pair(_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high));
}
CK_INLINE f32x16 v_select_less(f32x16 a, f32x16 b, f32x16 yes, f32x16 no) {
  return v_pair(_mm256_blendv_ps(no.low, yes.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
                _mm256_blendv_ps(no.high, yes.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ)));
}
CK_INLINE f32x16 v_keep_nan(f32x16 a, f32x16 b) {
  return v_pair(_mm256_blendv_ps(b.low, a.low, _mm256_cmp_ps(a.low, a.low, _CMP_UNORD_Q)),
                _mm256_blendv_ps(b.high, a.high, _mm256_cmp_ps(a.high, a.high, _CMP_UNORD_Q)));
}
CK_INLINE __m256 v_scale_half_by_power(__m256 p, __m256 t) {
  const __m256i power = _mm256_slli_epi32(_mm256_castps_si256(t), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), power));
}
CK_INLINE f32x16 v_scale_by_power(f32x16 p, f32x16 t) {
  return v_pair(v_scale_half_by_power(p.low, t.low), v_scale_half_by_power(p.high, t.high));
}
CK_INLINE __m256 v_round_half_bf16(__m256 a) {
  const __m256i u = _mm256_castps_si256(a), high = _mm256_set1_epi32((int)0xFFFF0000);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
  const __m256i quiet = _mm256_or_si256(u, _mm256_set1_epi32(0x400000));
  const __m256 nan = _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
  const __m256 chosen = _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(quiet), nan);
  return _mm256_and_ps(chosen, _mm256_castsi256_ps(high));
}
CK_INLINE f32x16 v_round_bf16(f32x16 a) { return v_pair(v_round_half_bf16(a.low), v_round_half_bf16(a.high)); }

CK_INLINE float v_reduce_add(f32x16 a) {
  const __m256 a8 = _mm256_add_ps(a.low, a.high);
  const __m128 a4 = _mm_add_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
  const __m128 a2 = _mm_add_ps(a4, _mm_movehl_ps(a4, a4));
  return _mm_cvtss_f32(_mm_add_ss(a2, _mm_movehdup_ps(a2)));
}
CK_INLINE float v_reduce_max(f32x16 a) {
  const __m256 a8 = _mm256_max_ps(a.low, a.high);
  const __m128 a4 = _mm_max_ps(_mm256_castps256_ps128(a8), _mm256_extractf128_ps(a8, 1));
  const __m128 a2 = _mm_max_ps(a4, _mm_movehl_ps(a4, a4));
  return _mm_cvtss_f32(_mm_max_ss(a2, _mm_movehdup_ps(a2)));
}
CK_INLINE uint32_t v_mask_not_less(f32x16 a, f32x16 b) {
  return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.low, b.low, _CMP_GE_OQ)) |
         (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.high, b.high, _CMP_GE_OQ)) << 8;
}

typedef __m128i v_codes;  // the largest of code << 1, which loses the sign
CK_INLINE v_codes v_codes_none(void) { return _mm_setzero_si128(); }
CK_INLINE bool v_codes_have_nan(v_codes seen) {
  return _mm_movemask_epi8(_mm_cmpeq_epi8(seen, _mm_set1_epi8((char)0xFE))) != 0;
}

CK_INLINE __m256 v_half_from_bf16(__m128i b) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(b), 16));
}
CK_INLINE f32x16 v_load_bf16(const void *p) {
  const __m128i *halves = p;
  return v_pair(v_half_from_bf16(_mm_loadu_si128(halves)), v_half_from_bf16(_mm_loadu_si128(halves + 1)));
}
CK_INLINE f32x16 v_load_f16(const void *p) {
  const __m128i *halves = p;
  return v_pair(_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1)));
}

// Codes in the high bytes of 16 words become half-precision numbers: the sign stays, the rest moves down by one.
CK_INLINE f32x16 v_parts(__m256i words) {
  const __m256i f16 = _mm256_and_si256(_mm256_srai_epi16(words, 1), _mm256_set1_epi16((short)0xBF80));
  return v_pair(_mm256_cvtph_ps(_mm256_castsi256_si128(f16)), _mm256_cvtph_ps(_mm256_extracti128_si256(f16, 1)));
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
// Unpacking leaves codes 0-7 and 16-23 in one register and the others in the other: halves of lanes, as they are wanted.
CK_INLINE void v_load_e4m3_32(const void *p, v_codes_32 *seen, f32x16 *low, f32x16 *high) {
  const __m256i codes = _mm256_loadu_si256(p), zero = _mm256_setzero_si256();
  *seen = _mm256_max_epu8(*seen, _mm256_add_epi8(codes, codes));
  const f32x16 lanes_low = v_parts(_mm256_unpacklo_epi8(zero, codes));
  const f32x16 lanes_high = v_parts(_mm256_unpackhi_epi8(zero, codes));
  *low = v_pair(lanes_low.low, lanes_high.low);
  *high = v_pair(lanes_low.high, lanes_high.high);
}

CK_INLINE void v_load_half_pairs_f32(const float *p, __m256 *first, __m256 *second) {
  const __m256 a = _mm256_loadu_ps(p), b = _mm256_loadu_ps(p + 8);
  const __m256 low = _mm256_permute2f128_ps(a, b, 0x20), high = _mm256_permute2f128_ps(a, b, 0x31);
  *first = _mm256_shuffle_ps(low, high, 0x88);
  *second = _mm256_shuffle_ps(low, high, 0xDD);
}
CK_INLINE void v_load_pairs_f32(const void *p, f32x16 *first, f32x16 *second) {
  v_load_half_pairs_f32(p, &first->low, &second->low);
  v_load_half_pairs_f32((const float *)p + CK_LANES, &first->high, &second->high);
}
CK_INLINE void v_load_pairs_bf16(const void *p, f32x16 *first, f32x16 *second) {
  const __m256i low = _mm256_loadu_si256(p), high = _mm256_loadu_si256((const __m256i *)p + 1);
  const __m256i mask = _mm256_set1_epi32((int)0xFFFF0000);
  *first = v_pair(_mm256_castsi256_ps(_mm256_slli_epi32(low, 16)), _mm256_castsi256_ps(_mm256_slli_epi32(high, 16)));
  *second = v_pair(_mm256_castsi256_ps(_mm256_and_si256(low, mask)), _mm256_castsi256_ps(_mm256_and_si256(high, mask)));
}
CK_INLINE void v_load_pairs_e4m3(const void *p, f32x16 *first, f32x16 *second) {
  const __m256i pairs = _mm256_loadu_si256(p);
  *first = v_parts(_mm256_slli_epi16(pairs, 8));
  *second = v_parts(pairs);
}

enum { CK_TILE_ROWS = 2, CK_TILE_TOKENS = 2, CK_VECTOR_ROWS = 4, CK_ATTEND_TOGETHER = 2 };

// A slice of the lanes: what shared_panel.h works with.
typedef __m256 v_slice;
enum { CK_SLICE_LANES = 8, CK_PANEL_TILE_TOKENS = 4 };
CK_INLINE v_slice v_slice_set1(float a) { return _mm256_set1_ps(a); }
CK_INLINE v_slice v_slice_load(const float *p) { return _mm256_loadu_ps(p); }
CK_INLINE void v_slice_store(float *p, v_slice a) { _mm256_storeu_ps(p, a); }
CK_INLINE v_slice v_slice_fma(v_slice a, v_slice b, v_slice c) { return _mm256_fmadd_ps(a, b, c); }

// A panel of E4M3 or half-precision weights holds half-precision numbers: a load that widens them takes no time from
// multiplications, 32 of them are made by 8 instructions and two stores instead of 14 and four, and half as many bytes
// come from the second-level cache.
typedef uint16_t v_narrow;
#define CK_NARROW_NAN 0x7E00
CK_INLINE v_slice v_narrow_load(const v_narrow *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p)); }
// 16 codes, their signs extended, moved to the places of a half's exponent and fraction.
CK_INLINE void v_narrow_codes(v_narrow *out, const void *p) {
  const __m256i words = _mm256_slli_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128(p)), 7);
  _mm256_storeu_si256((__m256i *)(void *)out, _mm256_and_si256(words, _mm256_set1_epi16((short)0xBF80)));
}
CK_INLINE void v_narrow_e4m3(v_narrow *out, const uint8_t *p, v_codes_32 *seen) {
  const __m256i codes = _mm256_loadu_si256((const __m256i *)(const void *)p);
  *seen = _mm256_max_epu8(*seen, _mm256_add_epi8(codes, codes));
  v_narrow_codes(out, p);
  v_narrow_codes(out + CK_LANES, p + CK_LANES);
}
CK_INLINE void v_narrow_f16(v_narrow *out, const uint8_t *p) { memcpy(out, p, 32 * sizeof *out); }
