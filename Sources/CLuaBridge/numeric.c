#include "numeric.h"

#include <CKernels.h>
#include <float.h>
#include <math.h>

size_t lb_argmax(const float *x, size_t n, float *value) {
  *value = -INFINITY;
  if (n == 0) return n;
  size_t best = ck_table_best()->argmax(x, n, value);
  // The kernel gives 0 where there are only NaN.
  return x[best] == *value ? best : n;
}

float lb_logsumexp(const float *x, size_t n) { return n == 0 ? -INFINITY : ck_table_best()->logsumexp(x, n); }
float lb_sum(const float *x, size_t n) { return ck_table_best()->sum(x, n); }
float lb_dot(const float *x, const float *y, size_t n) { return ck_table_best()->dot(x, y, n); }

void lb_softmax(float *out, const float *x, size_t n, double t, bool logarithm) {
  if (n == 0) return;
  float factor = t * FLT_MAX < 1 ? FLT_MAX : (float)(1 / t), highest;
  lb_argmax(x, n, &highest);
  // Taken off before a small temperature makes differences of large numbers out of it.
  if (factor != 1 && isfinite(highest)) {
    for (size_t i = 0; i < n; i++) out[i] = x[i] - highest;
    x = out;
  }
  if (logarithm) ck_table_best()->log_softmax(out, x, n, factor);
  else ck_table_best()->softmax(out, x, n, factor);
}

size_t lb_topk(int32_t *ids, float *values, const float *x, size_t n, size_t k) {
  return n == 0 || k == 0 ? 0 : ck_table_best()->topk(ids, values, x, n, k);
}

double lb_piece(float *p, const float *x, size_t n, double total) {
  ck_table_best()->softmax(p, x, n, 1);
  float highest;
  size_t best = lb_argmax(x, n, &highest);
  return highest == -INFINITY ? 0 : exp(highest - total) / p[best];
}

double lb_expectation(const float *p, const float *x, float a, const float *y, float b, size_t n) {
  // Sixteen sums: a compiler may not take one apart, and each addition would wait for the one before.
  enum { LANES = 16 };
  float sums[LANES] = {0};
  for (size_t start = 0; start < n; start += LANES) {
    const size_t count = n - start < LANES ? n - start : LANES;
    float term[LANES] = {0};
    if (y)
      for (size_t i = 0; i < count; i++) term[i] = (x[start + i] - a) - (y[start + i] - b);
    else
      for (size_t i = 0; i < count; i++) term[i] = x[start + i] - a;
    for (size_t i = 0; i < count; i++) sums[i] += p[start + i] > 0 ? p[start + i] * term[i] : 0;
  }
  double sum = 0;
  for (int j = 0; j < LANES; j++) sum += sums[j];
  return sum;
}

double lb_jensen_shannon(const float *p, double p_share, const float *q, double q_share, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    const double x = p[i] * p_share, y = q[i] * q_share, m = (x + y) / 2;
    // What is this improbable under both adds less than 32,000 * 1e-12 in all.
    if (m < 1e-12) continue;
    if (x > 0) sum += x * log(x / m) / 2;
    if (y > 0) sum += y * log(y / m) / 2;
  }
  return sum;
}

// Falling logits in steps of a 32nd, down to e^-16 of the largest: what lies below is mostly nothing.
enum { LB_STEPS = 512 };
static const float lb_depth = 16;

float lb_mass_bound(const float *x, size_t n, double p) {
  const double total = lb_logsumexp(x, n);
  float highest;
  lb_argmax(x, n, &highest);
  if (!isfinite(total)) return -INFINITY;
  double mass[LB_STEPS] = {0};
  float weights[LB_PIECE];
  for (size_t start = 0; start < n; start += LB_PIECE) {
    const size_t count = n - start < LB_PIECE ? n - start : LB_PIECE;
    const double share = lb_piece(weights, x + start, count, total);
    if (share == 0) continue;
    for (size_t i = 0; i < count; i++) {
      const float depth = highest - x[start + i];
      if (depth < lb_depth) mass[(int)(depth * (LB_STEPS / lb_depth))] += weights[i] * share;
    }
  }
  double seen = 0;
  for (int step = 0; step < LB_STEPS; step++) {
    seen += mass[step];
    // The step beyond, for what rounding moved over the edge.
    if (seen >= p + 1e-6) return highest - (float)(step + 2) * (lb_depth / LB_STEPS);
  }
  return -INFINITY;
}
