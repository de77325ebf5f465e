// E4M3 to half precision, where every code is exact: value / 256; and what products of half-precision numbers share.
#include "contract.h"
#include "shared_names.h"

typedef struct {
  __m512h first, second;
} f16x64;
typedef f16x64 ck_pair;

// Nothing that would have to stay in registers.
typedef struct {
  char none;
} ck_tables;
CK_INLINE ck_tables v_tables(void) { return (ck_tables){0}; }

// A code's bits only move, which two affine maps do: sign, a zero, exponent and two bits of the fraction; then the last one.
// Each byte of a map tells which bits of a code make one bit of the result; the first byte's makes bit 7. Two unpacks leave
// codes 0-7, 16-23, 32-39, 48-55 in the first vector and the others in the second.
CK_INLINE f16x64 v_expand(const ck_tables *tables, __m512i codes) {
  (void)tables;
  __m512i high = _mm512_gf2p8affine_epi64_epi8(codes, _mm512_set1_epi64(0x0204081020400080), 0);
  __m512i low = _mm512_gf2p8affine_epi64_epi8(codes, _mm512_set1_epi64(0x01), 0);
  const __mmask64 nan = _mm512_cmpeq_epi8_mask(_mm512_add_epi8(codes, codes), _mm512_set1_epi8((char)0xFE));
  if (__builtin_expect(nan != 0, 0)) high = _mm512_mask_mov_epi8(high, nan, _mm512_set1_epi8(0x7E));
  return (f16x64){(__m512h)_mm512_unpacklo_epi8(low, high), (__m512h)_mm512_unpackhi_epi8(low, high)};
}

// The exponent of the largest finite number, at least -117, so that powers of two that bring it near 1,024 are normal numbers.
typedef __m512i ck_largest;
CK_INLINE ck_largest v_largest(void) { return _mm512_set1_epi32((127 - 117) << 23); }
CK_INLINE ck_largest v_larger(ck_largest most, f32x16 x) {
  const __m512i magnitude = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7FFFFFFF));
  return _mm512_mask_max_epi32(most, _mm512_cmplt_epi32_mask(magnitude, _mm512_set1_epi32(0x7F800000)), most, magnitude);
}
CK_INLINE int v_exponent(ck_largest most) { return (_mm512_reduce_max_epi32(most) >> 23) - 127; }
CK_INLINE float v_power_of_two(int exponent) { return ck_float((uint32_t)(exponent + 127) << 23); }

static inline int ck_largest_exponent(const float *in, size_t n) {
  ck_largest most = v_largest();
  for (size_t k = 0; k < n; k += CK_LANES) {
    most = v_larger(most, n - k >= CK_LANES ? v_load(in + k) : v_load_n(in + k, n - k));
  }
  return v_exponent(most);
}

CK_INLINE __m512h v_dot(__m512h sum, __m512h row, __m512h token) { return _mm512_fmadd_ph(row, token, sum); }

CK_INLINE __m512h v_zero_sum(void) { return _mm512_setzero_ph(); }
