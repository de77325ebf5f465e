// exp, written once over the 16 lanes; the polynomial and its bounds are in contract.h.
#ifndef CK_SHARED_EXP_H
#define CK_SHARED_EXP_H

CK_INLINE f32x16 v_exp(f32x16 x) {
  const f32x16 t = v_fma(x, v_set1(CK_EXP_LOG2E), v_set1(CK_EXP_ROUND));
  const f32x16 n = v_sub(t, v_set1(CK_EXP_ROUND));
  f32x16 r = v_fma(n, v_set1(-CK_EXP_LN2_HIGH), x);
  r = v_fma(n, v_set1(-CK_EXP_LN2_LOW), r);
  f32x16 p = v_fma(v_set1(CK_EXP_P0), r, v_set1(CK_EXP_P1));
  p = v_fma(p, r, v_set1(CK_EXP_P2));
  p = v_fma(p, r, v_set1(CK_EXP_P3));
  p = v_fma(p, r, v_set1(CK_EXP_P4));
  p = v_fma(p, r, v_set1(CK_EXP_P5));
  p = v_add(v_fma(p, v_mul(r, r), r), v_set1(1));
  p = v_scale_by_power(p, t);
  p = v_select_less(x, v_set1(CK_EXP_LOW), v_zero(), p);
  p = v_select_less(v_set1(CK_EXP_HIGH), x, v_set1(INFINITY), p);
  return v_keep_nan(x, p);
}

#endif
