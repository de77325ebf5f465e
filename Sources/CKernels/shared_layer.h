// Norm, rotation, activation, residual: written once over the 16 lanes.
#include "shared_exp.h"
#include "shared_names.h"

static float CK_FN(dot)(const float *x, const float *y, size_t n) {
  f32x16 lanes = v_zero();
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) lanes = v_fma(v_load(x + i), v_load(y + i), lanes);
  if (i < n) lanes = v_fma(v_load_n(x + i, n - i), v_load_n(y + i, n - i), lanes);
  return v_reduce_add(lanes);
}

static void CK_FN(rms_norm)(float *out, const float *in, const float *weight, size_t n, float eps) {
  const float mean = CK_FN(dot)(in, in, n) / (float)n;
  const f32x16 factor = v_set1(1.0f / sqrtf(mean + eps));
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) {
    v_store(out + i, v_mul(v_mul(v_load(in + i), factor), v_load(weight + i)));
  }
  if (i < n) {
    const f32x16 x = v_load_n(in + i, n - i), w = v_load_n(weight + i, n - i);
    v_store_n(out + i, v_mul(v_mul(x, factor), w), n - i);
  }
}

// (a, b) becomes (a cos - b sin, b cos + a sin); the second product of each is fused into the sum.
static void CK_FN(rope)(float *x, size_t heads, size_t head_dim, const float *cosine, const float *sine) {
  const size_t half = head_dim / 2;
  for (size_t head = 0; head < heads; head++) {
    float *low = x + head * head_dim, *high = low + half;
    for (size_t i = 0; i < half; i += CK_LANES) {
      const size_t n = ck_min(half - i, CK_LANES);
      const bool whole = n == CK_LANES;
      const f32x16 a = whole ? v_load(low + i) : v_load_n(low + i, n);
      const f32x16 b = whole ? v_load(high + i) : v_load_n(high + i, n);
      const f32x16 c = whole ? v_load(cosine + i) : v_load_n(cosine + i, n);
      const f32x16 s = whole ? v_load(sine + i) : v_load_n(sine + i, n);
      const f32x16 turned_low = v_fma(v_sub(v_zero(), b), s, v_mul(a, c));
      const f32x16 turned_high = v_fma(a, s, v_mul(b, c));
      if (whole) {
        v_store(low + i, turned_low);
        v_store(high + i, turned_high);
      } else {
        v_store_n(low + i, turned_low, n);
        v_store_n(high + i, turned_high, n);
      }
    }
  }
}

CK_INLINE f32x16 v_swiglu(f32x16 gate, f32x16 up) {
  const f32x16 denominator = v_add(v_set1(1), v_exp(v_sub(v_zero(), gate)));
  return v_mul(v_div(gate, denominator), up);
}

static void CK_FN(swiglu)(float *out, const float *gate, const float *up, size_t n) {
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) v_store(out + i, v_swiglu(v_load(gate + i), v_load(up + i)));
  if (i < n) v_store_n(out + i, v_swiglu(v_load_n(gate + i, n - i), v_load_n(up + i, n - i)), n - i);
}

static void CK_FN(add)(float *out, const float *in, size_t n) {
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) v_store(out + i, v_add(v_load(out + i), v_load(in + i)));
  if (i < n) v_store_n(out + i, v_add(v_load_n(out + i, n - i), v_load_n(in + i, n - i)), n - i);
}

static void CK_FN(scale)(float *x, size_t n, float a) {
  const f32x16 factor = v_set1(a);
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) v_store(x + i, v_mul(v_load(x + i), factor));
  if (i < n) v_store_n(x + i, v_mul(v_load_n(x + i, n - i), factor), n - i);
}

static void CK_FN(axpy)(float *y, const float *x, size_t n, float a) {
  const f32x16 factor = v_set1(a);
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) v_store(y + i, v_fma(factor, v_load(x + i), v_load(y + i)));
  if (i < n) v_store_n(y + i, v_fma(factor, v_load_n(x + i, n - i), v_load_n(y + i, n - i)), n - i);
}

static void CK_FN(fill_layer)(ck_table *table) {
  table->dot = CK_FN(dot);
  table->rms_norm = CK_FN(rms_norm);
  table->rope = CK_FN(rope);
  table->swiglu = CK_FN(swiglu);
  table->add = CK_FN(add);
  table->scale = CK_FN(scale);
  table->axpy = CK_FN(axpy);
}
