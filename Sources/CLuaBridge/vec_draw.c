// Drawing from a Vec of logits.
#include "internal.h"

#include <math.h>

#include "numeric.h"

// One id from softmax(v), by the inverse of the distribution function in the order of ids.
static int lb_vec_sample(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "sample");
  lb_rng *rng = lb_check_rng(L, 2, "sample");
  const double total = lb_logsumexp(vec->data, vec->count);
  if (!isfinite(total))
    lb_raise(L, "not_finite", "nothing can be drawn: every logit is masked, or one is infinite or no number");
  double u;
  lb_rng_draw(L, rng, &u, 1);
  double seen = 0;
  size_t last = 0;  // where rounding leaves the sum short of u, an id that was possible
  float p[LB_PIECE];
  for (size_t start = 0; start < vec->count && seen <= u; start += LB_PIECE) {
    const size_t n = vec->count - start < LB_PIECE ? vec->count - start : LB_PIECE;
    const double share = lb_piece(p, vec->data + start, n, total);
    if (seen + share <= u && start + n < vec->count) {
      // Passed over as a whole.
      float highest;
      if (share > 0) last = start + lb_argmax(vec->data + start, n, &highest);
      seen += share;
      continue;
    }
    for (size_t i = 0; i < n && seen <= u; i++) {
      if (!(p[i] * share > 0)) continue;
      seen += p[i] * share;
      last = start + i;
    }
  }
  lua_pushinteger(L, (lua_Integer)last);
  return 1;
}

// k ids without replacement with their perturbed logits (Kool et al. 2019): top-k of v + Gumbel noise.
static int lb_vec_gumbel_topk(lua_State *L) {
  size_t n = lb_check_vec(L, 1, "gumbel_topk")->count;
  size_t k = (size_t)lb_check_integer(L, 2, "gumbel_topk", 0, INT32_MAX);
  lb_rng *rng = lb_check_rng(L, 3, "gumbel_topk");
  if (k > n) k = n;
  lb_vec *noisy = lb_push_vec(L, n);
  double *u = lua_newuserdatauv(L, (n ? n : 1) * sizeof *u, 0);
  lb_ranked ranked = lb_push_ranked(L, k);
  const float *data = lb_check_vec(L, 1, "gumbel_topk")->data;
  lb_rng_draw(L, rng, u, n);
  for (size_t i = 0; i < n; i++) {
    if (i % (1 << 14) == 0) lb_poll(L);
    noisy->data[i] = (float)(data[i] - log(-log(u[i])));
  }
  return lb_push_ranking(L, ranked, lb_topk(ranked.ids, ranked.values, noisy->data, n, k));
}

void lb_open_vec_draw(lua_State *L) {
  static const luaL_Reg list[] = {
    {"sample", lb_vec_sample}, {"gumbel_topk", lb_vec_gumbel_topk}, {NULL, NULL}};
  luaL_setfuncs(L, list, 0);
}
