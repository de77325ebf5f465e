// A panel of E4M3 or half-precision weights holds float32, like all others: for NEON, where nothing narrower was measured, and
// AVX-512, where halves gained many tokens nothing. Part of their lanes_*.h.
typedef float v_narrow;
#define CK_NARROW_NAN NAN
CK_INLINE v_slice v_narrow_load(const v_narrow *p) { return v_slice_load(p); }
CK_INLINE void v_narrow_e4m3(v_narrow *out, const uint8_t *p, v_codes_32 *seen) {
  f32x16 low, high;
  v_load_e4m3_32(p, seen, &low, &high);
  v_store(out, low);
  v_store(out + CK_LANES, high);
}
CK_INLINE void v_narrow_f16(v_narrow *out, const uint8_t *p) {
  v_store(out, v_load_f16(p));
  v_store(out + CK_LANES, v_load_f16(p + 2 * CK_LANES));
}
