// Products of E4M3 and BF16 weights with bfloat16 activations by VDPBF16PS.
//
// Lane i of an accumulator takes elements 2i and 2i + 1 of each vector of 32, so the lanes differ from the scalar
// ones, and VDPBF16PS takes subnormal numbers for zero and rounds each of its two products into the sum, to nearest.
// A product of K elements is within K * 2^-24 * sum |w x| of the exact one, as the scalar one is.
//
// A block of 64 codes is expanded to two vectors (expand_avx512bf16.h) in another order; `pack` puts activations in the
// same one. BF16 weights need neither.
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

#define CK_CODE_FACTOR 1.0f
#define ck_word __m512bh
#define ck_sum f32x16
enum {
  CK_PIECE = 0,
  CK_FEW_MOST = 64,
  CK_FEW_AHEAD = 512,
  CK_TILES = 1,
  CK_MAX_DIRECT = 16,
};

CK_INLINE f32x16 v_dot(f32x16 sum, __m512bh row, __m512bh token) { return _mm512_dpbf16_ps(sum, row, token); }
CK_INLINE f32x16 v_zero_sum(void) { return v_zero(); }
CK_INLINE f32x16 v_sum_add(f32x16 a, f32x16 b) { return v_add(a, b); }
CK_INLINE f32x16 v_last_lanes(f32x16 elements) {
  return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), elements);
}
CK_INLINE float v_token_factor(const uint8_t *x, size_t cols) {
  (void)x, (void)cols;
  return 1;
}
static bool ck_is_packed(ck_dtype dtype) { return dtype == CK_BF16 || dtype == CK_E4M3; }

#include "packed_avx512.h"

static size_t ck_packed_row_bytes(size_t cols, ck_dtype dtype) {
  if (!ck_is_packed(dtype)) return ck_lesser()->packed_row_bytes(cols, dtype);
  return v_spread(ck_round_up(2 * cols, 2 * CK_BLOCK), cols);
}

static void ck_pack_row(uint8_t *to, const float *in, size_t cols, ck_dtype dtype) {
  for (size_t k = 0; k < cols; k += CK_BLOCK, to += 2 * CK_BLOCK) {
    const bf16x64 block = v_token_block(dtype, in, k, cols);
    _mm512_store_si512(to, (__m512i)block.first);
    _mm512_store_si512(to + 64, (__m512i)block.second);
  }
}

static void ck_pack(void *x, size_t x_stride, size_t m, const float *in, size_t in_stride, size_t begin, size_t end,
                    size_t cols, ck_dtype dtype) {
  if (!ck_is_packed(dtype)) {
    ck_lesser()->pack(x, x_stride, m, in, in_stride, begin, end, cols, dtype);
    return;
  }
  for (size_t row = begin; row < end; row++) {
    ck_pack_row((uint8_t *)x + row * x_stride, in + row * in_stride, cols, dtype);
  }
}

#pragma clang attribute pop

void ck_fill_avx512bf16(ck_table *table) {
  table->packed_row_bytes = ck_packed_row_bytes;
  table->pack = ck_pack;
  table->matmul = ck_matmul;
  table->matmul_scratch_bytes = ck_matmul_scratch_bytes;
}
#endif
