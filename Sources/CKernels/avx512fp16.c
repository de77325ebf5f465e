// Products of E4M3 weights with half-precision activations by VFMADDPH: 32 multiply-adds an instruction, two instructions a
// cycle, on processors whose VDPBF16PS takes four times as long.
//
// A code is a half-precision number, value / 256, and so exact. A token's activations are multiplied by the power of two that
// brings the largest to 32..<64, exact too, and rounded to half precision, nearest even: 11 bits where bfloat16 keeps 8, for
// all that are at least 2^-19 of the largest.
//
// A lane takes one element of each vector of 32 (in v_expand's order), 32 products to a piece of CK_PIECE elements, each of which is
// rounded into a half-precision sum. At a piece's end lanes are added up: (i, i+16), (i, i+8), (i, i+4), (i, i+2) in half precision,
// the last two in float32, which pieces are added up in. A half-precision sum is at most 512 * 64 * 448 / 256, and so
// finite. A product of K elements is within 37 * 2^-11 * sum |w x| + K * 2^-24 (in units of weight / 256 and packed activation) of
// the exact one with such activations. Errors of numbers like those of a model mostly cancel: some 2^-11 of the product's size are left,
// less than rounding activations to bfloat16 leaves.
//
// BF16 weights have more range than half precision; they are float32 products, as on any AVX-512.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#include "contract.h"
#include "fill.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512fp16,gfni,avx2,fma,f16c"))), apply_to = function)
#define CK_ISA_NAME avx512fp16
#include "lanes_avx512.h"

#include "expand_avx512fp16.h"

#define CK_CODE_FACTOR CK_E4M3_FACTOR
#define ck_word __m512h
#define ck_sum __m512h
enum {
  CK_BLOCK = 64,
  CK_PIECE = 1024,  // 32 products a lane
  CK_FEW_MOST = 32,
  CK_FEW_AHEAD = 1536,
  CK_TILES = 8,
  CK_MAX_DIRECT = 12,
  CK_LARGEST_EXPONENT = 5,  // of a packed token
};

CK_INLINE f16x64 v_weight_block(ck_dtype dtype, const ck_tables *tables, const uint8_t *p, size_t n) {
  (void)dtype;
  return v_expand(tables, n >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8((1ull << n) - 1, p));
}

CK_INLINE f32x16 v_sum_add(f32x16 a, f32x16 b) { return (f32x16)_mm512_add_ph((__m512h)a, (__m512h)b); }
// Each element is two halves.
CK_INLINE f32x16 v_last_lanes(f32x16 elements) {
  const __m512i halves = _mm512_castps_si512(elements), one = _mm512_set1_epi32(1);
  const __m512i even = _mm512_setr_epi32(0, 8, 16, 24, 2, 10, 18, 26, 4, 12, 20, 28, 6, 14, 22, 30);
  const f32x16 low = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
  const f32x16 high = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1));
  return v_add(_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, _mm512_or_si512(even, one), high));
}

// A packed row's factor lies behind its elements.
CK_INLINE size_t v_elements_bytes(size_t cols) { return ck_round_up(2 * cols, 2 * CK_BLOCK); }
CK_INLINE float v_token_factor(const uint8_t *x, size_t cols) {
  float factor;
  memcpy(&factor, x + v_elements_bytes(cols), sizeof factor);
  return factor;
}
static bool ck_is_packed(ck_dtype dtype) { return dtype == CK_E4M3; }

#include "packed_avx512.h"

static size_t ck_packed_row_bytes(size_t cols, ck_dtype dtype) {
  if (!ck_is_packed(dtype)) return ck_lesser()->packed_row_bytes(cols, dtype);
  return v_spread(v_elements_bytes(cols), cols) + 64;
}

// Elements k..<k + CK_BLOCK of a row of `cols` activations, times `scale` and rounded, in v_expand's order; zero beyond the last.
CK_INLINE f16x64 v_token_block(const float *in, size_t k, size_t cols, float scale) {
  const __m512i first = _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13), second = _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15);
  __m256i part[4];
  CK_UNROLL for (size_t j = 0; j < 4; j++) {
    const size_t at = k + j * CK_LANES, left = at < cols ? cols - at : 0;
    const f32x16 x = left >= CK_LANES ? v_load(in + at) : left ? v_load_n(in + at, left) : v_zero();
    part[j] = _mm512_cvtps_ph(v_mul(x, v_set1(scale)), _MM_FROUND_TO_NEAREST_INT);
  }
  const __m512i low = _mm512_inserti64x4(_mm512_castsi256_si512(part[0]), part[1], 1);
  const __m512i high = _mm512_inserti64x4(_mm512_castsi256_si512(part[2]), part[3], 1);
  return (f16x64){(__m512h)_mm512_permutex2var_epi64(low, first, high), (__m512h)_mm512_permutex2var_epi64(low, second, high)};
}

static void ck_pack_row(uint8_t *to, const float *in, size_t cols) {
  const int exponent = CK_LARGEST_EXPONENT - ck_largest_exponent(in, cols);
  const float scale = v_power_of_two(exponent), factor = v_power_of_two(-exponent);
  memset(to + v_elements_bytes(cols), 0, 64);
  memcpy(to + v_elements_bytes(cols), &factor, sizeof factor);
  for (size_t k = 0; k < cols; k += CK_BLOCK) {
    const f16x64 block = v_token_block(in, k, cols, scale);
    _mm512_store_si512(to + 2 * k, (__m512i)block.first);
    _mm512_store_si512(to + 2 * k + 64, (__m512i)block.second);
  }
}

static void ck_pack(void *x, size_t x_stride, size_t m, const float *in, size_t in_stride, size_t begin, size_t end,
                    size_t cols, ck_dtype dtype) {
  if (!ck_is_packed(dtype)) {
    ck_lesser()->pack(x, x_stride, m, in, in_stride, begin, end, cols, dtype);
    return;
  }
  for (size_t row = begin; row < end; row++) ck_pack_row((uint8_t *)x + row * x_stride, in + row * in_stride, cols);
}
#pragma clang attribute pop

void ck_fill_avx512fp16(ck_table *table) {
  table->packed_row_bytes = ck_packed_row_bytes;
  table->pack = ck_pack;
  table->matmul = ck_matmul;
  table->matmul_scratch_bytes = ck_matmul_scratch_bytes;
}
#endif
