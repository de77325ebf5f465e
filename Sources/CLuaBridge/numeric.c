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

double lb_expectation(const float *p, const float *x, double a, const float *y, double b, size_t n) {
  // Eight sums: one would wait for each addition to end.
  double sums[8] = {0};
  for (size_t i = 0; i < n; i++) {
    const double difference = (x[i] - a) - (y ? y[i] - b : 0);
    sums[i % 8] += p[i] > 0 ? p[i] * difference : 0;
  }
  double sum = 0;
  for (int j = 0; j < 8; j++) sum += sums[j];
  return sum;
}
