// Arithmetic over logits that the kernel table does not have. Sums run in double, in one fixed order.
// NaN never wins a maximum and never passes a threshold.
#ifndef LB_NUMERIC_H
#define LB_NUMERIC_H

#include <stddef.h>
#include <stdint.h>

struct lua_State;

typedef struct {
  float value;
  int32_t id;
} lb_scored;

// Index of the largest value, the lowest among equals; n (and -inf) where every value is NaN or there is none.
size_t lb_argmax(const float *x, size_t n, float *value);
double lb_logsumexp(const float *x, size_t n);
double lb_sum(const float *x, size_t n);
double lb_dot(const float *x, const float *y, size_t n);
// out[i] = exp(x[i] / t - logsumexp(x / t)), or without exp. out may equal x.
void lb_softmax(float *out, const float *x, size_t n, double t);
void lb_log_softmax(float *out, const float *x, size_t n, double t);
// The k largest in falling order, equal ones by rising index, NaN and -inf left out. Returns how many, at most k.
// Both look at the script's limits now and then, and so may raise.
size_t lb_topk(struct lua_State *L, lb_scored *out, const float *x, size_t n, size_t k);
void lb_sort_scored(struct lua_State *L, lb_scored *items, size_t n);

#endif
