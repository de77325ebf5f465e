// Arithmetic at its peak: more independent sums than an instruction takes cycles, operands in registers. Each sum
// follows from the one before, and floats may not be regrouped: a compiler can leave nothing out.
#include "CProbes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Enough for two units of a latency of six cycles, and with two operands fewer than there are registers.
enum { SUMS = 12 };

typedef float f32x4 __attribute__((vector_size(16)));

static float fma_any(size_t rounds) {
  f32x4 sums[SUMS] = {{0}}, a = {0.5f, 0.5f, 0.5f, 0.5f}, b = {1, 2, 3, 4};
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < SUMS; i++) sums[i] = sums[i] * a + b;
  }
  for (size_t i = 1; i < SUMS; i++) sums[0] += sums[i];
  return sums[0][0];
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static float fma_avx2(size_t rounds) {
  __m256 sums[SUMS] = {{0}}, a = _mm256_set1_ps(0.5f), b = _mm256_set1_ps(1);
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < SUMS; i++) sums[i] = _mm256_fmadd_ps(a, b, sums[i]);
  }
  for (size_t i = 1; i < SUMS; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f"))) static float fma_avx512(size_t rounds) {
  __m512 sums[SUMS], a = _mm512_set1_ps(0.5f), b = _mm512_set1_ps(1);
  for (size_t i = 0; i < SUMS; i++) sums[i] = _mm512_setzero_ps();
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < SUMS; i++) sums[i] = _mm512_fmadd_ps(a, b, sums[i]);
  }
  for (size_t i = 1; i < SUMS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_reduce_add_ps(sums[0]);
}

__attribute__((target("avx512f,avx512bf16"))) static float dot_bf16(size_t rounds) {
  __m512 sums[SUMS];
  // 0.5 in every place.
  __m512bh a = (__m512bh)_mm512_set1_epi16(0x3F00), b = a;
  for (size_t i = 0; i < SUMS; i++) sums[i] = _mm512_setzero_ps();
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < SUMS; i++) sums[i] = _mm512_dpbf16_ps(sums[i], a, b);
  }
  for (size_t i = 1; i < SUMS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_reduce_add_ps(sums[0]);
}

// Of sums that change from round to round: half-precision ones would soon be too large for what is added to them.
__attribute__((target("avx512f,avx512fp16"))) static float fma_fp16(size_t rounds) {
  __m512h sums[SUMS], a = _mm512_set1_ph(0.5f), b = _mm512_set1_ph(1);
  for (size_t i = 0; i < SUMS; i++) sums[i] = _mm512_setzero_ph();
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < SUMS; i++) sums[i] = _mm512_fmsub_ph(a, b, sums[i]);
  }
  for (size_t i = 1; i < SUMS; i++) sums[0] = _mm512_add_ph(sums[0], sums[i]);
  return (float)_mm512_reduce_add_ph(sums[0]);
}

enum { TILE_SUMS = 4, TILE_OPERATIONS = 16 * 16 * 32 * 2 };

// Of numbers with random signs and fractions: tiles of zeros take less power, and come faster than any product does.
__attribute__((target("amx-tile,amx-bf16"))) static float tile_bf16(size_t rounds) {
  uint16_t operands[4][16 * 32];
  uint32_t state = 1;
  for (size_t i = 0; i < 4 * 16 * 32; i++) {
    state = state * 1664525u + 1013904223u;
    operands[i / (16 * 32)][i % (16 * 32)] = (uint16_t)(0x3F00 | (state >> 16 & 0x80FF));
  }
  struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } shapes = {.palette = 1};
  for (int i = 0; i < 8; i++) {
    shapes.row_bytes[i] = 64;
    shapes.rows[i] = 16;
  }
  _tile_loadconfig(&shapes);
  _tile_loadd(4, operands[0], 64);
  _tile_loadd(5, operands[1], 64);
  _tile_loadd(6, operands[2], 64);
  _tile_loadd(7, operands[3], 64);
  for (size_t round = 0; round < rounds; round++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  float sums[16 * 16];
  _tile_stored(0, sums, 64);
  _tile_release();
  return sums[0];
}
#endif

float cp_multiply(cp_arithmetic kind, size_t rounds) {
#if defined(__x86_64__)
  switch (kind) {
    case CP_FMA: break;
    case CP_FMA_AVX2: return fma_avx2(rounds);
    case CP_FMA_AVX512: return fma_avx512(rounds);
    case CP_DOT_BF16: return dot_bf16(rounds);
    case CP_FMA_FP16: return fma_fp16(rounds);
    case CP_TILE_BF16: return tile_bf16(rounds);
  }
#endif
  return fma_any(rounds);
}

size_t cp_multiply_operations(cp_arithmetic kind) {
  switch (kind) {
    case CP_FMA: break;
    case CP_FMA_AVX2: return SUMS * 8 * 2;
    case CP_FMA_AVX512: return SUMS * 16 * 2;
    case CP_DOT_BF16: return SUMS * 32 * 2;
    case CP_FMA_FP16: return SUMS * 32 * 2;
    case CP_TILE_BF16: return TILE_SUMS * TILE_OPERATIONS;
  }
  return SUMS * 4 * 2;
}

const char *cp_arithmetic_name(cp_arithmetic kind) {
  switch (kind) {
    case CP_FMA: break;
    case CP_FMA_AVX2: return "FMA of 8 floats";
    case CP_FMA_AVX512: return "FMA of 16 floats";
    case CP_DOT_BF16: return "VDPBF16PS";
    case CP_FMA_FP16: return "VFMADDPH";
    case CP_TILE_BF16: return "TDPBF16PS";
  }
  return "multiply-add of 4 floats";
}
