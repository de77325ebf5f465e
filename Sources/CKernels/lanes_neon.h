// The 16 lanes as four NEON registers. Each operation equals that of lanes_scalar.h, where its meaning is written.
#define CK_ISA_NAME neon

typedef struct {
  float32x4_t at[4];
} f32x16;

#define CK_EACH_QUARTER CK_UNROLL for (int i = 0; i < 4; i++)

CK_INLINE f32x16 v_set1(float a) {
  const float32x4_t q = vdupq_n_f32(a);
  return (f32x16){{q, q, q, q}};
}
CK_INLINE f32x16 v_zero(void) { return v_set1(0); }

// Loads of bytes, because an element's address need not be a multiple of its size.
CK_INLINE uint8x16_t v_bytes(const void *p, int index) { return vld1q_u8((const uint8_t *)p + 16 * index); }
CK_INLINE f32x16 v_load(const void *p) {
  f32x16 r;
  CK_EACH_QUARTER r.at[i] = vreinterpretq_f32_u8(v_bytes(p, i));
  return r;
}
CK_INLINE f32x16 v_load_n(const void *p, size_t n) {
  float copy[CK_LANES] = {0};
  memcpy(copy, p, n * sizeof(float));
  return v_load(copy);
}
CK_INLINE void v_store(float *p, f32x16 a) { CK_EACH_QUARTER vst1q_f32(p + 4 * i, a.at[i]); }
CK_INLINE void v_store_n(float *p, f32x16 a, size_t n) {
  float copy[CK_LANES];
  v_store(copy, a);
  memcpy(p, copy, n * sizeof(float));
}

CK_INLINE f32x16 v_add(f32x16 a, f32x16 b) {
  CK_EACH_QUARTER a.at[i] = vaddq_f32(a.at[i], b.at[i]);
  return a;
}
CK_INLINE f32x16 v_sub(f32x16 a, f32x16 b) {
  CK_EACH_QUARTER a.at[i] = vsubq_f32(a.at[i], b.at[i]);
  return a;
}
CK_INLINE f32x16 v_mul(f32x16 a, f32x16 b) {
  CK_EACH_QUARTER a.at[i] = vmulq_f32(a.at[i], b.at[i]);
  return a;
}
CK_INLINE f32x16 v_div(f32x16 a, f32x16 b) {
  CK_EACH_QUARTER a.at[i] = vdivq_f32(a.at[i], b.at[i]);
  return a;
}
CK_INLINE f32x16 v_fma(f32x16 a, f32x16 b, f32x16 c) {
  CK_EACH_QUARTER c.at[i] = vfmaq_f32(c.at[i], a.at[i], b.at[i]);
  return c;
}
// A selection, because FMAX lets a NaN win.
CK_INLINE f32x16 v_max(f32x16 a, f32x16 b) {
  CK_EACH_QUARTER b.at[i] = vbslq_f32(vcgtq_f32(a.at[i], b.at[i]), a.at[i], b.at[i]);
  return b;
}
CK_INLINE f32x16 v_select_less(f32x16 a, f32x16 b, f32x16 yes, f32x16 no) {
  CK_EACH_QUARTER no.at[i] = vbslq_f32(vcltq_f32(a.at[i], b.at[i]), yes.at[i], no.at[i]);
  return no;
}
CK_INLINE f32x16 v_keep_nan(f32x16 a, f32x16 b) {
  CK_EACH_QUARTER b.at[i] = vbslq_f32(vceqq_f32(a.at[i], a.at[i]), b.at[i], a.at[i]);
  return b;
}
CK_INLINE f32x16 v_scale_by_power(f32x16 p, f32x16 t) {
  CK_EACH_QUARTER {
    const uint32x4_t power = vshlq_n_u32(vreinterpretq_u32_f32(t.at[i]), 23);
    p.at[i] = vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(p.at[i]), power));
  }
  return p;
}
CK_INLINE f32x16 v_round_bf16(f32x16 a) {
  CK_EACH_QUARTER {
    const uint32x4_t u = vreinterpretq_u32_f32(a.at[i]), number = vceqq_f32(a.at[i], a.at[i]);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(u, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
    const uint32x4_t quiet = vorrq_u32(u, vdupq_n_u32(0x400000));
    a.at[i] = vreinterpretq_f32_u32(vandq_u32(vbslq_u32(number, rounded, quiet), vdupq_n_u32(0xFFFF0000)));
  }
  return a;
}

CK_INLINE float v_reduce_add(f32x16 a) {
  const float32x4_t a4 = vaddq_f32(vaddq_f32(a.at[0], a.at[2]), vaddq_f32(a.at[1], a.at[3]));
  const float32x2_t a2 = vadd_f32(vget_low_f32(a4), vget_high_f32(a4));
  return vget_lane_f32(a2, 0) + vget_lane_f32(a2, 1);
}
CK_INLINE float v_reduce_max(f32x16 a) {
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.at[0], a.at[1]), vmaxq_f32(a.at[2], a.at[3])));
}
CK_INLINE uint32_t v_mask_not_less(f32x16 a, f32x16 b) {
  const uint32_t weights[4] = {1, 2, 4, 8};
  const uint32x4_t bit = vld1q_u32(weights);
  uint32_t mask = 0;
  CK_EACH_QUARTER mask |= vaddvq_u32(vandq_u32(vcgeq_f32(a.at[i], b.at[i]), bit)) << (4 * i);
  return mask;
}

typedef uint8x16_t v_codes;  // the largest of code << 1, which loses the sign
CK_INLINE v_codes v_codes_none(void) { return vdupq_n_u8(0); }
CK_INLINE bool v_codes_have_nan(v_codes seen) { return vmaxvq_u8(seen) == 0xFE; }

CK_INLINE f32x16 v_load_bf16(const void *p) {
  f32x16 r;
  CK_UNROLL for (int i = 0; i < 2; i++) {
    const uint16x8_t b = vreinterpretq_u16_u8(v_bytes(p, i));
    r.at[2 * i] = vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(b), 16));
    r.at[2 * i + 1] = vreinterpretq_f32_u32(vshll_n_u16(vget_high_u16(b), 16));
  }
  return r;
}
CK_INLINE f32x16 v_from_f16(uint16x8_t low, uint16x8_t high) {
  const float16x8_t a = vreinterpretq_f16_u16(low), b = vreinterpretq_f16_u16(high);
  return (f32x16){{vcvt_f32_f16(vget_low_f16(a)), vcvt_f32_f16(vget_high_f16(a)), vcvt_f32_f16(vget_low_f16(b)),
                   vcvt_f32_f16(vget_high_f16(b))}};
}
CK_INLINE f32x16 v_load_f16(const void *p) {
  return v_from_f16(vreinterpretq_u16_u8(v_bytes(p, 0)), vreinterpretq_u16_u8(v_bytes(p, 1)));
}

// Codes in the high bytes of 8 words become half-precision numbers: the sign stays, the rest moves down by one.
CK_INLINE uint16x8_t v_half_parts(uint16x8_t words) {
  const int16x8_t moved = vshrq_n_s16(vreinterpretq_s16_u16(words), 1);
  return vandq_u16(vreinterpretq_u16_s16(moved), vdupq_n_u16(0xBF80));
}
CK_INLINE f32x16 v_load_e4m3(const void *p, v_codes *seen) {
  const uint8x16_t codes = v_bytes(p, 0);
  *seen = vmaxq_u8(*seen, vaddq_u8(codes, codes));
  return v_from_f16(v_half_parts(vshll_n_u8(vget_low_u8(codes), 8)), v_half_parts(vshll_n_u8(vget_high_u8(codes), 8)));
}

// 32 codes at once
typedef v_codes v_codes_32;
CK_INLINE v_codes_32 v_codes_32_none(void) { return v_codes_none(); }
CK_INLINE void v_codes_32_into(v_codes *seen, v_codes_32 more) { *seen = vmaxq_u8(*seen, more); }
CK_INLINE void v_load_e4m3_32(const void *p, v_codes_32 *seen, f32x16 *low, f32x16 *high) {
  *low = v_load_e4m3(p, seen);
  *high = v_load_e4m3((const uint8_t *)p + CK_LANES, seen);
}

CK_INLINE void v_load_pairs_f32(const void *p, f32x16 *first, f32x16 *second) {
  CK_EACH_QUARTER {
    const float32x4_t a = vreinterpretq_f32_u8(v_bytes(p, 2 * i)), b = vreinterpretq_f32_u8(v_bytes(p, 2 * i + 1));
    first->at[i] = vuzp1q_f32(a, b);
    second->at[i] = vuzp2q_f32(a, b);
  }
}
CK_INLINE void v_load_pairs_bf16(const void *p, f32x16 *first, f32x16 *second) {
  CK_EACH_QUARTER {
    const uint32x4_t pairs = vreinterpretq_u32_u8(v_bytes(p, i));
    first->at[i] = vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16));
    second->at[i] = vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xFFFF0000)));
  }
}
CK_INLINE void v_load_pairs_e4m3(const void *p, f32x16 *first, f32x16 *second) {
  const uint16x8_t low = vreinterpretq_u16_u8(v_bytes(p, 0)), high = vreinterpretq_u16_u8(v_bytes(p, 1));
  *first = v_from_f16(v_half_parts(vshlq_n_u16(low, 8)), v_half_parts(vshlq_n_u16(high, 8)));
  *second = v_from_f16(v_half_parts(low), v_half_parts(high));
}

enum { CK_TILE_ROWS = 2, CK_TILE_TOKENS = 2, CK_VECTOR_ROWS = 4, CK_ATTEND_TOGETHER = 2 };

// A slice of the lanes: what shared_panel.h works with.
typedef float32x4_t v_slice;
enum { CK_SLICE_LANES = 4, CK_PANEL_TILE_TOKENS = 8 };
CK_INLINE v_slice v_slice_set1(float a) { return vdupq_n_f32(a); }
CK_INLINE v_slice v_slice_load(const float *p) { return vld1q_f32(p); }
CK_INLINE void v_slice_store(float *p, v_slice a) { vst1q_f32(p, a); }
CK_INLINE v_slice v_slice_fma(v_slice a, v_slice b, v_slice c) { return vfmaq_f32(c, a, b); }
#include "narrow_float.h"
