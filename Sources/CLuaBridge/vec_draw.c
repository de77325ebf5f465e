// Drawing from a Vec of logits.
#include "internal.h"

#include <math.h>

#include "numeric.h"

// One id from softmax(v), by the inverse of the distribution function in the order of ids.
static int lb_vec_sample(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "sample");
  lb_rng *rng = lb_check_rng(L, 2, "sample");
  double total = lb_logsumexp(vec->data, vec->count);
  if (!(total > -INFINITY) || total == INFINITY)
    lb_raise(L, "not_finite", "nothing can be drawn: every logit is masked, or one is infinite");
  double u;
  lb_rng_draw(L, rng, &u, 1);
  double seen = 0;
  size_t last = 0;
  for (size_t i = 0; i < vec->count; i++) {
    double p = exp(vec->data[i] - total);
    if (!(p > 0)) continue;
    seen += p;
    last = i;
    if (u < seen) break;
  }
  // Where rounding leaves the sum short of u, the last possible id.
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
  lb_scored *items = lua_newuserdatauv(L, (k ? k : 1) * sizeof *items, 0);
  const float *data = lb_check_vec(L, 1, "gumbel_topk")->data;
  lb_rng_draw(L, rng, u, n);
  for (size_t i = 0; i < n; i++) {
    if (i % (1 << 14) == 0) lb_poll(L);
    noisy->data[i] = (float)(data[i] - log(-log(u[i])));
  }
  size_t count = lb_topk(L, items, noisy->data, n, k);
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, items[i].id);
    lua_rawseti(L, -3, (lua_Integer)i + 1);
    lua_pushnumber(L, items[i].value);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 2;
}

void lb_open_vec_draw(lua_State *L) {
  static const luaL_Reg list[] = {
    {"sample", lb_vec_sample}, {"gumbel_topk", lb_vec_gumbel_topk}, {NULL, NULL}};
  luaL_setfuncs(L, list, 0);
}
