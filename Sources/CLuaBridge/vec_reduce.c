// What a Vec can tell, and the vectors and sets that it makes.
#include "internal.h"

#include <math.h>
#include <string.h>

#include "numeric.h"

// Where distributions are concerned (entropy, kl, top_mass, softmax) a Vec holds logits: unnormalised logarithms.

static lb_vec *lb_check_pair(lua_State *L, const char *name, lb_vec **other) {
  lb_vec *vec = lb_check_vec(L, 1, name);
  *other = lb_check_vec(L, 2, name);
  if ((*other)->count != vec->count) {
    const char *message = lua_pushfstring(
      L, "vectors differ in length: %I and %I", (LUAI_UACINT)vec->count, (LUAI_UACINT)(*other)->count);
    lb_raise_argument(L, 2, name, message);
  }
  return vec;
}

// max() -> x, id. Both nil where no element is a number.
static int lb_vec_max(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "max");
  float value;
  size_t id = lb_argmax(vec->data, vec->count, &value);
  if (id == vec->count) return 0;
  lua_pushnumber(L, value);
  lua_pushinteger(L, (lua_Integer)id);
  return 2;
}

static int lb_vec_argmax(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "argmax");
  float value;
  size_t id = lb_argmax(vec->data, vec->count, &value);
  if (id == vec->count) return 0;
  lua_pushinteger(L, (lua_Integer)id);
  return 1;
}

static int lb_vec_sum(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "sum");
  lua_pushnumber(L, lb_sum(vec->data, vec->count));
  return 1;
}

static int lb_vec_dot(lua_State *L) {
  lb_vec *other, *vec = lb_check_pair(L, "dot", &other);
  lua_pushnumber(L, lb_dot(vec->data, other->data, vec->count));
  return 1;
}

static int lb_vec_norm(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "norm");
  lua_pushnumber(L, sqrt(lb_dot(vec->data, vec->data, vec->count)));
  return 1;
}

// 0 where one of the two is all zeros.
static int lb_vec_cosine(lua_State *L) {
  lb_vec *other, *vec = lb_check_pair(L, "cosine", &other);
  double norms = sqrt(lb_dot(vec->data, vec->data, vec->count)) *
                 sqrt(lb_dot(other->data, other->data, other->count));
  lua_pushnumber(L, norms == 0 ? 0 : lb_dot(vec->data, other->data, vec->count) / norms);
  return 1;
}

static int lb_vec_logsumexp(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "logsumexp");
  lua_pushnumber(L, lb_logsumexp(vec->data, vec->count));
  return 1;
}

// In nats: logsumexp(x) - sum(p * x), p = softmax(x).
static int lb_vec_entropy(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "entropy");
  double total = lb_logsumexp(vec->data, vec->count), entropy = 0;
  for (size_t i = 0; i < vec->count; i++) {
    double log_p = vec->data[i] - total;
    if (log_p > -INFINITY) entropy -= exp(log_p) * log_p;
  }
  lua_pushnumber(L, entropy);
  return 1;
}

// How many elements precede it in falling order, and 1: 1 is the argmax. Equal values rank by id.
static int lb_vec_rank(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "rank");
  size_t id = (size_t)lb_check_integer(L, 2, "rank", 0, (lua_Integer)vec->count - 1);
  float value = vec->data[id];
  size_t rank = 1;
  for (size_t i = 0; i < vec->count; i++) rank += vec->data[i] > value || (vec->data[i] == value && i < id);
  lua_pushinteger(L, (lua_Integer)rank);
  return 1;
}

// KL(softmax(v) || softmax(w)) in nats; infinite where w excludes what v allows.
static int lb_vec_kl(lua_State *L) {
  lb_vec *other, *vec = lb_check_pair(L, "kl", &other);
  double a = lb_logsumexp(vec->data, vec->count), b = lb_logsumexp(other->data, other->count), kl = 0;
  for (size_t i = 0; i < vec->count; i++) {
    double log_p = vec->data[i] - a;
    if (log_p > -INFINITY) kl += exp(log_p) * (log_p - (other->data[i] - b));
  }
  lua_pushnumber(L, kl < 0 ? 0 : kl);  // rounding can leave -1e-17 for equal vectors
  return 1;
}

// --- new vectors and sets ----------------------------------------------------------------------------------------

static double lb_check_temperature(lua_State *L, const char *name) {
  double t = lb_opt_number(L, 2, name, 1);
  if (!(t > 0) || t == INFINITY) lb_raise_argument(L, 2, name, "a temperature must be positive and finite");
  return t;
}

static int lb_vec_softmax(lua_State *L) {
  lb_check_vec(L, 1, "softmax");
  double t = lb_check_temperature(L, "softmax");
  lb_vec *out = lb_push_vec(L, ((lb_vec *)lua_touserdata(L, 1))->count);
  lb_softmax(out->data, lb_check_vec(L, 1, "softmax")->data, out->count, t);
  return 1;
}

static int lb_vec_log_softmax(lua_State *L) {
  lb_check_vec(L, 1, "log_softmax");
  double t = lb_check_temperature(L, "log_softmax");
  lb_vec *out = lb_push_vec(L, ((lb_vec *)lua_touserdata(L, 1))->count);
  lb_log_softmax(out->data, lb_check_vec(L, 1, "log_softmax")->data, out->count, t);
  return 1;
}

static int lb_push_scored(lua_State *L, const lb_scored *items, size_t count) {
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

// topk(k) -> ids, values. Fewer where fewer are above -inf.
static int lb_vec_topk(lua_State *L) {
  size_t n = lb_check_vec(L, 1, "topk")->count;
  size_t k = (size_t)lb_check_integer(L, 2, "topk", 0, INT32_MAX);
  if (k > n) k = n;
  lb_scored *items = lua_newuserdatauv(L, (k ? k : 1) * sizeof *items, 0);
  size_t count = lb_topk(L, items, lb_check_vec(L, 1, "topk")->data, n, k);
  return lb_push_scored(L, items, count);
}

// The ids whose value is below x, or not a number.
static int lb_vec_below(lua_State *L) {
  size_t n = lb_check_vec(L, 1, "below")->count;
  double x = lb_check_number(L, 2, "below");
  lb_set *set = lb_push_set(L, n);
  const float *data = lb_check_vec(L, 1, "below")->data;
  for (size_t i = 0; i < n; i++)
    if (!(data[i] >= x)) set->words[i / 64] |= UINT64_C(1) << (i % 64);
  return 1;
}

// The smallest set of ids, largest first, whose probabilities add up to at least p (Holtzman et al. 2020).
static int lb_vec_top_mass(lua_State *L) {
  size_t n = lb_check_vec(L, 1, "top_mass")->count;
  double p = lb_check_number(L, 2, "top_mass");
  if (!(p >= 0 && p <= 1)) lb_raise_argument(L, 2, "top_mass", "expected 0 to 1");
  lb_set *set = lb_push_set(L, n);
  lb_scored *items = lua_newuserdatauv(L, (n ? n : 1) * sizeof *items, 0);
  const float *data = lb_check_vec(L, 1, "top_mass")->data;
  size_t count = lb_topk(L, items, data, n, n);
  double total = lb_logsumexp(data, n), mass = 0;
  for (size_t i = 0; i < count && (mass < p || i == 0); i++) {
    mass += exp(items[i].value - total);
    set->words[items[i].id / 64] |= UINT64_C(1) << (items[i].id % 64);
  }
  lua_pop(L, 1);
  return 1;
}

void lb_open_vec_reduce(lua_State *L) {
  static const luaL_Reg list[] = {
    {"max", lb_vec_max},         {"argmax", lb_vec_argmax},           {"sum", lb_vec_sum},
    {"dot", lb_vec_dot},         {"norm", lb_vec_norm},               {"cosine", lb_vec_cosine},
    {"logsumexp", lb_vec_logsumexp}, {"entropy", lb_vec_entropy},     {"rank", lb_vec_rank},
    {"kl", lb_vec_kl},           {"softmax", lb_vec_softmax},         {"log_softmax", lb_vec_log_softmax},
    {"topk", lb_vec_topk},       {"below", lb_vec_below},             {"top_mass", lb_vec_top_mass},
    {NULL, NULL}};
  luaL_setfuncs(L, list, 0);
}
