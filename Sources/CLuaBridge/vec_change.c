// Verbs that change a Vec and return it.
#include "internal.h"

#include <CKernels.h>
#include <math.h>

static int lb_return_self(lua_State *L) {
  lua_settop(L, 1);
  return 1;
}

static int lb_vec_fill(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "fill");
  float x = (float)lb_check_number(L, 2, "fill");
  for (size_t i = 0; i < vec->count; i++) vec->data[i] = x;
  return lb_return_self(L);
}

static int lb_vec_scale(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "scale");
  float a = (float)lb_check_number(L, 2, "scale");
  ck_table_best()->scale(vec->data, vec->count, a);
  return lb_return_self(L);
}

static void lb_accumulate(lua_State *L, lb_vec *vec, int argument, const char *name, float a) {
  lb_vec *other = lb_check_vec(L, argument, name);
  if (other->count != vec->count) {
    const char *message = lua_pushfstring(
      L, "vectors differ in length: %I and %I", (LUAI_UACINT)vec->count, (LUAI_UACINT)other->count);
    lb_raise_argument(L, argument, name, message);
  }
  ck_table_best()->axpy(vec->data, other->data, vec->count, a);
}

// add(number or vec)
static int lb_vec_add(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "add");
  if (lua_type(L, 2) == LUA_TUSERDATA) {
    lb_accumulate(L, vec, 2, "add", 1);
  } else {
    if (lua_type(L, 2) != LUA_TNUMBER) lb_raise_type(L, 2, "add", "number or lacuna.vec");
    float x = (float)lua_tonumber(L, 2);
    for (size_t i = 0; i < vec->count; i++) vec->data[i] += x;
  }
  return lb_return_self(L);
}

// v += a * w
static int lb_vec_axpy(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "axpy");
  float a = (float)lb_check_number(L, 2, "axpy");
  lb_accumulate(L, vec, 3, "axpy", a);
  return lb_return_self(L);
}

static int lb_vec_clamp(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "clamp");
  float low = (float)lb_check_number(L, 2, "clamp"), high = (float)lb_check_number(L, 3, "clamp");
  if (!(low <= high)) lb_raise_argument(L, 3, "clamp", "the upper bound is below the lower one");
  for (size_t i = 0; i < vec->count; i++) {
    float x = vec->data[i];
    vec->data[i] = x < low ? low : x > high ? high : x;
  }
  return lb_return_self(L);
}

// Those inside, or outside, become -inf.
static int lb_mask(lua_State *L, const char *name, bool inside) {
  lb_vec *vec = lb_check_writable(L, 1, name);
  const lb_set *set = lb_check_set(L, 2, name, vec->count);
  for (size_t start = 0; start < vec->count; start += 64) {
    float *x = vec->data + start;
    const size_t n = vec->count - start < 64 ? vec->count - start : 64;
    const uint64_t word = inside ? set->words[start / 64] : ~set->words[start / 64];
    if (word == 0) continue;
    // Without branches: sets are anything but predictable.
    for (size_t i = 0; i < n; i++) {
      const float kept = x[i], choice[2] = {kept, -INFINITY};
      x[i] = choice[(word >> i) & 1];
    }
  }
  return lb_return_self(L);
}

static int lb_vec_mask(lua_State *L) { return lb_mask(L, "mask", true); }
static int lb_vec_keep(lua_State *L) { return lb_mask(L, "keep", false); }

static int lb_vec_mask_below(lua_State *L) {
  lb_vec *vec = lb_check_writable(L, 1, "mask_below");
  float x = (float)lb_check_number(L, 2, "mask_below");
  for (size_t i = 0; i < vec->count; i++)
    vec->data[i] = vec->data[i] >= x ? vec->data[i] : -INFINITY;
  return lb_return_self(L);
}

void lb_open_vec_change(lua_State *L) {
  static const luaL_Reg list[] = {
    {"fill", lb_vec_fill},   {"scale", lb_vec_scale}, {"add", lb_vec_add},   {"axpy", lb_vec_axpy},
    {"clamp", lb_vec_clamp}, {"mask", lb_vec_mask},   {"keep", lb_vec_keep}, {"mask_below", lb_vec_mask_below},
    {NULL, NULL}};
  luaL_setfuncs(L, list, 0);
}
