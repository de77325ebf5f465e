// Reductions and selections over a row of logits: written once over the 16 lanes.
#include "shared_exp.h"
#include "shared_names.h"

static float CK_FN(sum)(const float *x, size_t n) {
  f32x16 lanes = v_zero();
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) lanes = v_add(lanes, v_load(x + i));
  if (i < n) lanes = v_add(lanes, v_load_n(x + i, n - i));
  return v_reduce_add(lanes);
}

// A tail whose missing lanes are -inf.
CK_INLINE f32x16 v_load_tail_or_lowest(const float *p, size_t n) {
  float x[CK_LANES];
  for (size_t i = 0; i < CK_LANES; i++) x[i] = i < n ? p[i] : -INFINITY;
  return v_load(x);
}

// The largest of x * factor. NaN never wins; -inf where there is nothing else.
static float CK_FN(largest)(const float *x, size_t n, float factor) {
  const f32x16 f = v_set1(factor);
  f32x16 best[4];
  for (int j = 0; j < 4; j++) best[j] = v_set1(-INFINITY);
  size_t i = 0;
  for (; i + 4 * CK_LANES <= n; i += 4 * CK_LANES) {
    CK_UNROLL for (int j = 0; j < 4; j++) best[j] = v_max(v_mul(v_load(x + i + j * CK_LANES), f), best[j]);
  }
  for (; i + CK_LANES <= n; i += CK_LANES) best[0] = v_max(v_mul(v_load(x + i), f), best[0]);
  float m = v_reduce_max(v_max(v_max(best[0], best[1]), v_max(best[2], best[3])));
  for (; i < n; i++) m = x[i] * factor > m ? x[i] * factor : m;
  return m;
}

static float CK_FN(range)(const float *x, size_t n, size_t *open) {
  const f32x16 lowest = v_set1(-0x1.fffffep127f), nothing = v_set1(-INFINITY);
  f32x16 best[2] = {nothing, nothing};
  size_t above = 0, masked = 0, i = 0;
  for (; i + 2 * CK_LANES <= n; i += 2 * CK_LANES) {
    uint32_t seen = 0, hidden = 0;
    CK_UNROLL for (int j = 0; j < 2; j++) {
      const f32x16 a = v_load(x + i + j * CK_LANES);
      best[j] = v_max(a, best[j]);
      seen |= v_mask_not_less(a, lowest) << (16 * j);
      hidden |= v_mask_not_less(nothing, a) << (16 * j);
    }
    above += (size_t)__builtin_popcount(seen);
    masked += (size_t)__builtin_popcount(hidden);
  }
  float top = v_reduce_max(v_max(best[0], best[1]));
  for (; i < n; i++) {
    above += x[i] > -INFINITY;
    masked += x[i] == -INFINITY;
    top = x[i] > top ? x[i] : top;
  }
  *open = above;
  return above + masked < n || top == INFINITY ? NAN : top + 0.0f;  // of two zeros, either may have won
}

static size_t CK_FN(argmax)(const float *x, size_t n, float *value) {
  const float m = CK_FN(largest)(x, n, 1);
  const f32x16 best = v_set1(m);
  size_t i = 0;
  uint32_t mask = 0;
  while (i + CK_LANES <= n && (mask = v_mask_not_less(v_load(x + i), best)) == 0) i += CK_LANES;
  if (mask) {
    i += (size_t)__builtin_ctz(mask);
  } else {
    while (i < n && !(x[i] >= m)) i++;
  }
  *value = i < n ? x[i] : m;  // not m: of equal zeros the first one's sign
  return i < n ? i : 0;       // 0 where there is nothing but NaN
}

CK_INLINE f32x16 v_shifted_exp(f32x16 x, f32x16 factor, f32x16 top) { return v_exp(v_sub(v_mul(x, factor), top)); }

// The sum of exp(x * factor - top) in 16 lanes; also written to out unless that is NULL.
CK_INLINE float v_sum_of_exp(float *out, const float *x, size_t n, float factor, float top) {
  const f32x16 f = v_set1(factor), t = v_set1(top);
  f32x16 lanes = v_zero();
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) {
    const f32x16 e = v_shifted_exp(v_load(x + i), f, t);
    lanes = v_add(lanes, e);
    if (out) v_store(out + i, e);
  }
  if (i < n) {
    float tail[CK_LANES] = {0};
    v_store_n(tail, v_shifted_exp(v_load_n(x + i, n - i), f, t), n - i);
    lanes = v_add(lanes, v_load(tail));
    if (out) v_store_n(out + i, v_load(tail), n - i);
  }
  return v_reduce_add(lanes);
}

static float CK_FN(scaled_logsumexp)(const float *x, size_t n, float factor) {
  const float top = CK_FN(largest)(x, n, factor);
  if (top == -INFINITY || top == INFINITY) return top;
  const float sum = v_sum_of_exp(NULL, x, n, factor, top);
  return sum != sum ? sum : top + ck_log(sum);
}

static float CK_FN(logsumexp)(const float *x, size_t n) { return CK_FN(scaled_logsumexp)(x, n, 1); }

static void CK_FN(softmax)(float *out, const float *in, size_t n, float inverse_temperature) {
  const float top = CK_FN(largest)(in, n, inverse_temperature);
  if (top == -INFINITY) {
    for (size_t i = 0; i < n; i++) out[i] = 0;
    return;
  }
  const float sum = v_sum_of_exp(out, in, n, inverse_temperature, top);
  CK_FN(scale)(out, n, 1.0f / sum);
}

static void CK_FN(log_softmax)(float *out, const float *in, size_t n, float inverse_temperature) {
  const float total = CK_FN(scaled_logsumexp)(in, n, inverse_temperature);
  const f32x16 f = v_set1(inverse_temperature), t = v_set1(total == -INFINITY ? 0 : total);
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) v_store(out + i, v_sub(v_mul(v_load(in + i), f), t));
  if (i < n) v_store_n(out + i, v_sub(v_mul(v_load_n(in + i, n - i), f), t), n - i);
}

static void CK_FN(mask_below)(float *x, size_t n, float threshold) {
  const f32x16 limit = v_set1(threshold), lowest = v_set1(-INFINITY);
  size_t i = 0;
  for (; i + CK_LANES <= n; i += CK_LANES) {
    const f32x16 a = v_load(x + i);
    v_store(x + i, v_select_less(a, limit, lowest, a));
  }
  for (; i < n; i++) x[i] = x[i] < threshold ? -INFINITY : x[i];
}

// --- the k largest ---------------------------------------------------------------------------------------------
// A heap in the caller's two arrays whose root is the worst of the best so far.

CK_INLINE bool worse(float a, int32_t a_id, float b, int32_t b_id) { return a < b || (a == b && a_id > b_id); }

static void CK_FN(sift_down)(int32_t *ids, float *values, size_t n, size_t at, float value, int32_t id) {
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= n) break;
    if (child + 1 < n && worse(values[child + 1], ids[child + 1], values[child], ids[child])) child++;
    if (!worse(values[child], ids[child], value, id)) break;
    values[at] = values[child];
    ids[at] = ids[child];
    at = child;
  }
  values[at] = value;
  ids[at] = id;
}

// A value that at least k elements reach, from the maxima of CK_GROUPS interleaved groups; needs k <= CK_GROUPS.
// Without it the heap would take in k * ln(n / k) elements; with it hardly more than k.
enum { CK_GROUPS = 16 * CK_LANES };
static float CK_FN(lower_bound)(const float *x, size_t n, size_t k) {
  float maxima[CK_GROUPS];
  f32x16 best[16];
  for (int j = 0; j < 16; j++) best[j] = v_set1(-INFINITY);
  for (size_t i = 0; i + CK_GROUPS <= n; i += CK_GROUPS) {
    CK_UNROLL for (int j = 0; j < 16; j++) best[j] = v_max(v_load(x + i + j * CK_LANES), best[j]);
  }
  for (int j = 0; j < 16; j++) v_store(maxima + j * CK_LANES, best[j]);
  // Quickselect (Hoare): the k-th largest moves to maxima[k - 1].
  ptrdiff_t low = 0, high = CK_GROUPS - 1;
  const ptrdiff_t wanted = (ptrdiff_t)k - 1;
  while (low < high) {
    const float pivot = maxima[low + (high - low) / 2];
    ptrdiff_t i = low - 1, j = high + 1;
    for (;;) {
      do i++;
      while (maxima[i] > pivot);
      do j--;
      while (maxima[j] < pivot);
      if (i >= j) break;
      const float swap = maxima[i];
      maxima[i] = maxima[j];
      maxima[j] = swap;
    }
    if (wanted <= j) {
      high = j;
    } else {
      low = j + 1;
    }
  }
  return maxima[k - 1];
}

static size_t CK_FN(topk)(int32_t *ids, float *values, const float *x, size_t n, size_t k) {
  if (k == 0) return 0;
  const float lowest = -0x1.fffffep127f;  // leaves out -inf and NaN
  float threshold = lowest;
  if (k <= CK_GROUPS / 2 && n >= 4 * CK_GROUPS) {
    const float bound = CK_FN(lower_bound)(x, n, k);
    threshold = bound > lowest ? bound : lowest;
  }
  size_t count = 0, i = 0;
  f32x16 limit = v_set1(threshold);
  for (; i < n; i += CK_LANES) {
    const f32x16 a = n - i >= CK_LANES ? v_load(x + i) : v_load_tail_or_lowest(x + i, n - i);
    for (uint32_t mask = v_mask_not_less(a, limit); mask; mask &= mask - 1) {
      const size_t at = i + (size_t)__builtin_ctz(mask);
      if (count < k) {
        values[count] = x[at];
        ids[count++] = (int32_t)at;
        if (count < k) continue;
        for (size_t parent = k / 2; parent-- > 0;) {
          CK_FN(sift_down)(ids, values, k, parent, values[parent], ids[parent]);
        }
      } else if (x[at] > values[0]) {
        CK_FN(sift_down)(ids, values, k, 0, x[at], (int32_t)at);
      }
      if (count == k && values[0] > threshold) threshold = values[0], limit = v_set1(threshold);
    }
  }
  if (count < k) {
    for (size_t parent = count / 2; parent-- > 0;) {
      CK_FN(sift_down)(ids, values, count, parent, values[parent], ids[parent]);
    }
  }
  for (size_t left = count; left-- > 1;) {
    const float value = values[left];
    const int32_t id = ids[left];
    values[left] = values[0];
    ids[left] = ids[0];
    CK_FN(sift_down)(ids, values, left, 0, value, id);
  }
  return count;
}

static void CK_FN(fill_logits)(ck_table *table) {
  table->sum = CK_FN(sum);
  table->range = CK_FN(range);
  table->argmax = CK_FN(argmax);
  table->logsumexp = CK_FN(logsumexp);
  table->softmax = CK_FN(softmax);
  table->log_softmax = CK_FN(log_softmax);
  table->mask_below = CK_FN(mask_below);
  table->topk = CK_FN(topk);
}
