// What a Vec can tell, and the vectors and sets that it makes.
#include "internal.h"

#include <math.h>

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
  const double total = lb_logsumexp(vec->data, vec->count);
  double entropy = 0;
  float p[LB_PIECE];
  for (size_t start = 0; start < vec->count; start += LB_PIECE) {
    const size_t n = vec->count - start < LB_PIECE ? vec->count - start : LB_PIECE;
    const float *x = vec->data + start;
    const double share = lb_piece(p, x, n, total);
    entropy -= share * lb_expectation(p, x, total, NULL, 0, n);
  }
  lua_pushnumber(L, entropy < 0 ? 0 : entropy);
  return 1;
}

// How many elements precede it in falling order, and 1: 1 is the argmax. Equal values rank by id.
static int lb_vec_rank(lua_State *L) {
  lb_vec *vec = lb_check_vec(L, 1, "rank");
  size_t id = (size_t)lb_check_integer(L, 2, "rank", 0, (lua_Integer)vec->count - 1);
  float value = vec->data[id];
  size_t rank = 1;
  for (size_t i = 0; i < id; i++) rank += vec->data[i] >= value;
  for (size_t i = id + 1; i < vec->count; i++) rank += vec->data[i] > value;
  lua_pushinteger(L, (lua_Integer)rank);
  return 1;
}

// KL(softmax(v) || softmax(w)) in nats; infinite where w excludes what v allows.
static int lb_vec_kl(lua_State *L) {
  lb_vec *other, *vec = lb_check_pair(L, "kl", &other);
  const double a = lb_logsumexp(vec->data, vec->count), b = lb_logsumexp(other->data, other->count);
  double kl = b == -INFINITY && a > -INFINITY ? INFINITY : 0;
  float p[LB_PIECE];
  for (size_t start = 0; start < vec->count && kl < INFINITY; start += LB_PIECE) {
    const size_t n = vec->count - start < LB_PIECE ? vec->count - start : LB_PIECE;
    const float *x = vec->data + start, *y = other->data + start;
    const double share = lb_piece(p, x, n, a);
    if (share > 0) kl += share * lb_expectation(p, x, a, y, b, n);
  }
  lua_pushnumber(L, kl < 0 ? 0 : kl);  // rounding can leave -1e-9 for vectors that are nearly equal
  return 1;
}

// The Jensen-Shannon divergence of softmax(v) and softmax(w), in nats: 0 to ln 2 (Lin 1991).
static int lb_vec_jsd(lua_State *L) {
  lb_vec *other, *vec = lb_check_pair(L, "jsd", &other);
  const double a = lb_logsumexp(vec->data, vec->count), b = lb_logsumexp(other->data, other->count);
  double sum = 0;
  float p[LB_PIECE], q[LB_PIECE];
  for (size_t start = 0; start < vec->count; start += LB_PIECE) {
    const size_t n = vec->count - start < LB_PIECE ? vec->count - start : LB_PIECE;
    const double p_share = lb_piece(p, vec->data + start, n, a), q_share = lb_piece(q, other->data + start, n, b);
    sum += lb_jensen_shannon(p, p_share, q, q_share, n);
  }
  // Rounding can leave the range by some 1e-8.
  lua_pushnumber(L, sum < 0 ? 0 : sum > M_LN2 ? M_LN2 : sum);
  return 1;
}

// --- new vectors and sets ----------------------------------------------------------------------------------------

static double lb_check_temperature(lua_State *L, const char *name) {
  double t = lb_opt_number(L, 2, name, 1);
  if (!(t > 0) || t == INFINITY) lb_raise_argument(L, 2, name, "a temperature must be positive and finite");
  return t;
}

static int lb_distribution(lua_State *L, const char *name, bool logarithm) {
  lb_check_vec(L, 1, name);
  double t = lb_check_temperature(L, name);
  lb_vec *out = lb_push_vec(L, ((lb_vec *)lua_touserdata(L, 1))->count);
  lb_softmax(out->data, lb_check_vec(L, 1, name)->data, out->count, t, logarithm);
  return 1;
}

static int lb_vec_softmax(lua_State *L) { return lb_distribution(L, "softmax", false); }
static int lb_vec_log_softmax(lua_State *L) { return lb_distribution(L, "log_softmax", true); }

lb_ranked lb_push_ranked(lua_State *L, size_t capacity) {
  char *block = lua_newuserdatauv(L, (capacity ? capacity : 1) * (sizeof(int32_t) + sizeof(float)), 0);
  return (lb_ranked){(int32_t *)block, (float *)(block + capacity * sizeof(int32_t))};
}

int lb_push_ranking(lua_State *L, lb_ranked ranked, size_t count) {
  lua_createtable(L, (int)count, 0);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushinteger(L, ranked.ids[i]);
    lua_rawseti(L, -3, (lua_Integer)i + 1);
    lua_pushnumber(L, ranked.values[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 2;
}

// topk(k) -> ids, values. Fewer where fewer are above -inf.
static int lb_vec_topk(lua_State *L) {
  size_t n = lb_check_vec(L, 1, "topk")->count;
  size_t k = (size_t)lb_check_integer(L, 2, "topk", 0, INT32_MAX);
  if (k > n) k = n;
  lb_ranked ranked = lb_push_ranked(L, k);
  const float *data = lb_check_vec(L, 1, "topk")->data;
  return lb_push_ranking(L, ranked, lb_topk(ranked.ids, ranked.values, data, n, k));
}

// The ids whose value is below x, or not a number.
static int lb_vec_below(lua_State *L) {
  size_t n = lb_check_vec(L, 1, "below")->count;
  double x = lb_check_number(L, 2, "below");
  lb_set *set = lb_push_set(L, n);
  const float *data = lb_check_vec(L, 1, "below")->data;
  // A byte an element first: that is what vector units make of a comparison.
  for (size_t start = 0; start < n; start += 64) {
    uint8_t isBelow[64] = {0};
    const size_t count = n - start < 64 ? n - start : 64;
    for (size_t i = 0; i < count; i++) isBelow[i] = !(data[start + i] >= x);
    uint64_t word = 0;
    for (size_t i = 0; i < 64; i++) word |= (uint64_t)isBelow[i] << i;
    set->words[start / 64] = word;
  }
  return 1;
}

// The smallest set of ids, largest first, whose probabilities add up to at least p (Holtzman et al. 2020).
static int lb_vec_top_mass(lua_State *L) {
  size_t n = lb_check_vec(L, 1, "top_mass")->count;
  double p = lb_check_number(L, 2, "top_mass");
  if (!(p >= 0 && p <= 1)) lb_raise_argument(L, 2, "top_mass", "expected 0 to 1");
  lb_set *set = lb_push_set(L, n);
  // Room for those that reach the bound, and a second look for them: making room may run a finalizer.
  const float bound = lb_mass_bound(lb_check_vec(L, 1, "top_mass")->data, n, p);
  size_t capacity = 0;
  const float *data = ((lb_vec *)lua_touserdata(L, 1))->data;
  for (size_t i = 0; i < n; i++) capacity += data[i] >= bound;
  lb_ranked found = lb_push_ranked(L, capacity), ranked = lb_push_ranked(L, capacity);
  data = lb_check_vec(L, 1, "top_mass")->data;
  size_t count = 0;
  for (size_t i = 0; i < n && count < capacity; i++) {
    found.ids[count] = (int32_t)i;
    found.values[count] = data[i];
    count += data[i] >= bound;
  }
  // Rising ids stay rising among equals.
  count = lb_topk(ranked.ids, ranked.values, found.values, count, count);
  const double total = lb_logsumexp(data, n);
  double mass = 0;
  for (size_t i = 0; i < count && (mass < p || i == 0); i++) {
    const int32_t id = found.ids[ranked.ids[i]];
    mass += exp(ranked.values[i] - total);
    set->words[id / 64] |= UINT64_C(1) << (id % 64);
  }
  lua_pop(L, 2);
  return 1;
}

void lb_open_vec_reduce(lua_State *L) {
  static const luaL_Reg list[] = {
    {"max", lb_vec_max},         {"argmax", lb_vec_argmax},           {"sum", lb_vec_sum},
    {"dot", lb_vec_dot},         {"norm", lb_vec_norm},               {"cosine", lb_vec_cosine},
    {"logsumexp", lb_vec_logsumexp}, {"entropy", lb_vec_entropy},     {"rank", lb_vec_rank},
    {"kl", lb_vec_kl},           {"jsd", lb_vec_jsd},                 {"softmax", lb_vec_softmax},         {"log_softmax", lb_vec_log_softmax},
    {"topk", lb_vec_topk},       {"below", lb_vec_below},             {"top_mass", lb_vec_top_mass},
    {NULL, NULL}};
  luaL_setfuncs(L, list, 0);
}
