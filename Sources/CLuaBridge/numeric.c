#include "internal.h"

#include "numeric.h"

#include <math.h>

size_t lb_argmax(const float *x, size_t n, float *value) {
  size_t best = n;
  float most = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    if (x[i] > most || (best == n && x[i] == most)) {
      most = x[i];
      best = i;
    }
  }
  *value = most;
  return best;
}

double lb_sum(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i];
  return sum;
}

double lb_dot(const float *x, const float *y, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * y[i];
  return sum;
}

// Of x / t: the maximum is taken before the division so that t may be small.
static double lb_scaled_logsumexp(const float *x, size_t n, double t, float *maximum) {
  size_t best = lb_argmax(x, n, maximum);
  if (best == n || *maximum == -INFINITY) return -INFINITY;
  if (*maximum == INFINITY) return INFINITY;
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += exp(((double)x[i] - *maximum) / t);
  return log(sum);
}

double lb_logsumexp(const float *x, size_t n) {
  float maximum;
  double rest = lb_scaled_logsumexp(x, n, 1, &maximum);
  return rest == -INFINITY || rest == INFINITY ? rest : maximum + rest;
}

void lb_softmax(float *out, const float *x, size_t n, double t) {
  float maximum;
  double rest = lb_scaled_logsumexp(x, n, t, &maximum);
  for (size_t i = 0; i < n; i++) out[i] = (float)exp(((double)x[i] - maximum) / t - rest);
}

void lb_log_softmax(float *out, const float *x, size_t n, double t) {
  float maximum;
  double rest = lb_scaled_logsumexp(x, n, t, &maximum);
  for (size_t i = 0; i < n; i++) out[i] = (float)(((double)x[i] - maximum) / t - rest);
}

// --- the k largest -----------------------------------------------------------------------------------------------

static int lb_ranks_before(lb_scored a, lb_scored b) {
  return a.value > b.value || (a.value == b.value && a.id < b.id);
}

// A heap whose root ranks last among those kept.
static void lb_sift(lb_scored *heap, size_t n, size_t at) {
  for (;;) {
    size_t last = at, left = 2 * at + 1, right = left + 1;
    if (left < n && lb_ranks_before(heap[last], heap[left])) last = left;
    if (right < n && lb_ranks_before(heap[last], heap[right])) last = right;
    if (last == at) return;
    lb_scored swap = heap[at];
    heap[at] = heap[last];
    heap[last] = swap;
    at = last;
  }
}

enum { LB_LOOK_ELEMENTS = 1 << 14 };

void lb_sort_scored(lua_State *L, lb_scored *items, size_t n) {
  // Heapsort: no allocation, and its cost does not depend on what a script put into the vector.
  for (size_t i = n / 2; i-- > 0;) {
    if (i % LB_LOOK_ELEMENTS == 0) lb_poll(L);
    lb_sift(items, n, i);
  }
  for (size_t end = n; end > 1; end--) {
    if (end % LB_LOOK_ELEMENTS == 0) lb_poll(L);
    lb_scored swap = items[0];
    items[0] = items[end - 1];
    items[end - 1] = swap;
    lb_sift(items, end - 1, 0);
  }
}

size_t lb_topk(lua_State *L, lb_scored *out, const float *x, size_t n, size_t k) {
  if (k == 0) return 0;
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (i % LB_LOOK_ELEMENTS == 0) lb_poll(L);
    if (!(x[i] > -INFINITY)) continue;
    lb_scored candidate = {x[i], (int32_t)i};
    if (count < k) {
      out[count++] = candidate;
      if (count == k)
        for (size_t j = k / 2; j-- > 0;) lb_sift(out, k, j);
    } else if (candidate.value > out[0].value) {
      // A later equal value ranks behind: strictly greater is enough.
      out[0] = candidate;
      lb_sift(out, k, 0);
    }
  }
  lb_sort_scored(L, out, count);
  return count;
}
