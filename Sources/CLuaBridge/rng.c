// Rng: a position in a stream of counter-based random numbers. The generator itself is the host's, so that scripts and
// native samplers draw from one.
#include "internal.h"

#include <math.h>
#include <string.h>

static const char lb_rng_key = 0;  // registry: the metatable

// Draws at the present position, and moves on by one: what a call draws depends on how many calls came before, not on
// how much they drew.
void lb_rng_draw(lua_State *L, lb_rng *rng, double *out, size_t n) {
  lb_state *state = lb_of(L);
  if (state->host.uniforms == NULL) lb_raise(L, "unsupported", "this host has no random numbers");
  state->host.uniforms(state->host.context, rng->seed, rng->stream, rng->position, out, n);
  rng->position++;
}

lb_rng *lb_check_rng(lua_State *L, int argument, const char *name) {
  if (lb_type_at(L, argument) != LB_TYPE_RNG) lb_raise_type(L, argument, name, "lacuna.rng");
  return lua_touserdata(L, argument);
}

lb_rng *lb_push_rng(lua_State *L, uint64_t seed, uint64_t stream) {
  lb_rng *rng = lua_newuserdatauv(L, sizeof *rng, 0);
  *rng = (lb_rng){seed, stream, 0};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lb_rng_key);
  lua_setmetatable(L, -2);
  return rng;
}

// lacuna.rng(seed [, stream]); argument 1 is the module.
static int lb_rng_new(lua_State *L) {
  lua_settop(L, 3);
  lua_remove(L, 1);
  lua_Integer seed = lb_check_integer(L, 1, "rng", LUA_MININTEGER, LUA_MAXINTEGER);
  lua_Integer stream = lua_isnoneornil(L, 2) ? 0 : lb_check_integer(L, 2, "rng", LUA_MININTEGER, LUA_MAXINTEGER);
  lb_push_rng(L, (uint64_t)seed, (uint64_t)stream);
  return 1;
}

// uniform() in (0, 1), uniform(low, high)
static int lb_rng_uniform(lua_State *L) {
  lb_rng *rng = lb_check_rng(L, 1, "uniform");
  double low = lb_opt_number(L, 2, "uniform", 0), high = lb_opt_number(L, 3, "uniform", 1), u;
  lb_rng_draw(L, rng, &u, 1);
  lua_pushnumber(L, low + (high - low) * u);
  return 1;
}

// A whole number in low...high. 53 bits of a draw; the bias is below 2^-20 for ranges up to 2^33.
static lua_Integer lb_draw_integer(lua_State *L, lb_rng *rng, lua_Integer low, lua_Integer high) {
  double u;
  lb_rng_draw(L, rng, &u, 1);
  double span = (double)((lua_Unsigned)high - (lua_Unsigned)low) + 1;
  lua_Unsigned offset = (lua_Unsigned)(u * span);
  if (offset > (lua_Unsigned)high - (lua_Unsigned)low) offset = (lua_Unsigned)high - (lua_Unsigned)low;
  return (lua_Integer)((lua_Unsigned)low + offset);
}

static int lb_rng_integer(lua_State *L) {
  lb_rng *rng = lb_check_rng(L, 1, "integer");
  lua_Integer low = lb_check_integer(L, 2, "integer", LUA_MININTEGER, LUA_MAXINTEGER);
  lua_Integer high = lb_check_integer(L, 3, "integer", LUA_MININTEGER, LUA_MAXINTEGER);
  if (low > high) lb_raise_argument(L, 3, "integer", "interval is empty");
  lua_pushinteger(L, lb_draw_integer(L, rng, low, high));
  return 1;
}

// Box and Muller 1958.
static int lb_rng_normal(lua_State *L) {
  lb_rng *rng = lb_check_rng(L, 1, "normal");
  double mean = lb_opt_number(L, 2, "normal", 0), deviation = lb_opt_number(L, 3, "normal", 1), u[2];
  lb_rng_draw(L, rng, u, 2);
  lua_pushnumber(L, mean + deviation * sqrt(-2 * log(u[0])) * cos(6.283185307179586 * u[1]));
  return 1;
}

static int lb_rng_choice(lua_State *L) {
  lb_rng *rng = lb_check_rng(L, 1, "choice");
  if (lua_type(L, 2) != LUA_TTABLE) lb_raise_type(L, 2, "choice", "table");
  lua_Integer n = (lua_Integer)lua_rawlen(L, 2);
  if (n == 0) lb_raise_argument(L, 2, "choice", "the list is empty");
  lua_rawgeti(L, 2, lb_draw_integer(L, rng, 1, n));
  return 1;
}

// In place (Fisher and Yates); returns the list.
static int lb_rng_shuffle(lua_State *L) {
  lb_rng *rng = lb_check_rng(L, 1, "shuffle");
  if (lua_type(L, 2) != LUA_TTABLE) lb_raise_type(L, 2, "shuffle", "table");
  lua_settop(L, 2);
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, 2); i > 1; i--) {
    lb_poll(L);
    lua_Integer j = lb_draw_integer(L, rng, 1, i);
    lua_rawgeti(L, 2, i);
    lua_rawgeti(L, 2, j);
    lua_rawseti(L, 2, i);
    lua_rawseti(L, 2, j);
  }
  return 1;
}

// The next 64 bits of a splitmix64 sequence (Steele et al. 2014).
static uint64_t lb_mix(uint64_t x) {
  x += UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
  return x ^ (x >> 31);
}

// fork(n): an independent stream, the same for the same n whatever was drawn before.
static int lb_rng_fork(lua_State *L) {
  lb_rng *rng = lb_check_rng(L, 1, "fork");
  lua_Integer n = lb_check_integer(L, 2, "fork", LUA_MININTEGER, LUA_MAXINTEGER);
  uint64_t seed = rng->seed, stream = lb_mix(rng->stream ^ lb_mix((uint64_t)n));
  lb_push_rng(L, seed, stream);
  return 1;
}

// upvalue 1: the methods.
static int lb_rng_index(lua_State *L) {
  lb_rng *rng = lb_check_rng(L, 1, "index");
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (strcmp(key, "seed") == 0) lua_pushinteger(L, (lua_Integer)rng->seed);
  else if (strcmp(key, "stream") == 0) lua_pushinteger(L, (lua_Integer)rng->stream);
  else if (strcmp(key, "position") == 0) lua_pushinteger(L, (lua_Integer)rng->position);
  else lb_raise_no_field(L);
  return 1;
}

// --- math.random -------------------------------------------------------------------------------------------------

// upvalue 1: an Rng. As Lua's own, over the project's generator.
static int lb_math_random(lua_State *L) {
  lb_rng *rng = lua_touserdata(L, lua_upvalueindex(1));
  int n = lua_gettop(L);
  if (n == 0) {
    double u;
    lb_rng_draw(L, rng, &u, 1);
    lua_pushnumber(L, u);
    return 1;
  }
  lua_Integer low = 1, high;
  if (n == 1) {
    high = lb_check_integer(L, 1, "random", LUA_MININTEGER, LUA_MAXINTEGER);
  } else {
    low = lb_check_integer(L, 1, "random", LUA_MININTEGER, LUA_MAXINTEGER);
    high = lb_check_integer(L, 2, "random", LUA_MININTEGER, LUA_MAXINTEGER);
  }
  if (low > high) lb_raise_argument(L, n == 1 ? 1 : 2, "random", "interval is empty");
  lua_pushinteger(L, lb_draw_integer(L, rng, low, high));
  return 1;
}

// Without an argument: back to the run's own seed, not to the clock.
static int lb_math_randomseed(lua_State *L) {
  lb_rng *rng = lua_touserdata(L, lua_upvalueindex(1));
  uint64_t seed = lb_of(L)->seed;
  if (!lua_isnoneornil(L, 1)) {
    double x = lb_check_number(L, 1, "randomseed");
    int exact;
    lua_Integer whole = lua_tointegerx(L, 1, &exact);
    seed = exact ? (uint64_t)whole : (uint64_t)(int64_t)(x == x && fabs(x) < 9e18 ? x : 0);
  }
  *rng = (lb_rng){seed, 0, 0};
  return 0;
}

void lb_open_rng(lua_State *L) {
  static const luaL_Reg methods[] = {
    {"uniform", lb_rng_uniform}, {"integer", lb_rng_integer}, {"normal", lb_rng_normal},
    {"choice", lb_rng_choice},   {"shuffle", lb_rng_shuffle}, {"fork", lb_rng_fork}, {NULL, NULL}};
  lb_new_metatable(L, LB_TYPE_RNG, "lacuna.rng");
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushcclosure(L, lb_rng_index, 1);
  lua_setfield(L, -2, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &lb_rng_key);

  // lacuna.rng is a module and a function.
  lb_push_module(L, "lacuna.rng");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, lb_rng_new);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);

  lua_getglobal(L, "math");
  lb_push_rng(L, lb_of(L)->seed, 0);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, lb_math_random, 1);
  lua_setfield(L, -3, "random");
  lua_pushcclosure(L, lb_math_randomseed, 1);
  lua_setfield(L, -2, "randomseed");
  lua_pop(L, 1);
}
