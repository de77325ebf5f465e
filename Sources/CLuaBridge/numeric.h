// What Vec's operations have in common: the kernels of this machine, with NaN and empty vectors taken care of.
// A NaN never wins a maximum and never passes a threshold; a sum over one is NaN.
#ifndef LB_NUMERIC_H
#define LB_NUMERIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Index of the largest value, the lowest among equals; n (and -inf) where every value is NaN or there is none.
size_t lb_argmax(const float *x, size_t n, float *value);
// -inf where there is nothing above it.
float lb_logsumexp(const float *x, size_t n);
float lb_sum(const float *x, size_t n);
float lb_dot(const float *x, const float *y, size_t n);
// softmax(x / t), or its logarithm. out may equal x.
void lb_softmax(float *out, const float *x, size_t n, double t, bool logarithm);
// The k largest in falling order, equal ones by rising index, NaN and -inf left out. Returns how many, at most k.
size_t lb_topk(int32_t *ids, float *values, const float *x, size_t n, size_t k);

// A vector is looked at in pieces of so many elements where its probabilities are wanted and not kept.
enum { LB_PIECE = 1024 };
// p = softmax(x) of one piece; returns the piece's share of e^total.
double lb_piece(float *p, const float *x, size_t n, double total);
// The sum of p[i] * ((x[i] - a) - (y[i] - b)) where p[i] > 0; y may be NULL, for zeros.
double lb_expectation(const float *p, const float *x, float a, const float *y, float b, size_t n);
// The sum of (p ln(p / m) + q ln(q / m)) / 2, m = (p + q) / 2, over the elements of one piece; what is at p and q is a
// share p_share and q_share of two whole distributions.
double lb_jensen_shannon(const float *p, double p_share, const float *q, double q_share, size_t n);
// A bound that the largest elements down to a share p of softmax(x) all reach, and hardly any others; -inf where p is
// nearly everything.
float lb_mass_bound(const float *x, size_t n, double p);

#endif
