// Signatures of host functions: "session, string|table, integer?, ..."
#include "internal.h"

#include <string.h>

enum { LB_ANY = 31 };  // a bit beside those of lb_kind

static const struct {
  const char *word;
  uint32_t kinds, types;
} lb_words[] = {
  {"nil", 1u << LB_NIL, 0},           {"boolean", 1u << LB_BOOL, 0},   {"integer", 1u << LB_INTEGER, 0},
  {"number", 1u << LB_NUMBER, 0},     {"string", 1u << LB_STRING, 0},  {"function", 1u << LB_FUNCTION, 0},
  {"table", 1u << LB_TABLE, 0},       {"any", 1u << LB_ANY, 0},        {"vec", 0, 1u << LB_TYPE_VEC},
  {"set", 0, 1u << LB_TYPE_SET},      {"rng", 0, 1u << LB_TYPE_RNG},
};

static bool lb_parse_word(lb_state *state, const char *word, size_t count, lb_parameter *out) {
  for (size_t i = 0; i < sizeof lb_words / sizeof *lb_words; i++) {
    if (strlen(lb_words[i].word) == count && strncmp(lb_words[i].word, word, count) == 0) {
      out->kinds |= lb_words[i].kinds;
      out->types |= lb_words[i].types;
      return true;
    }
  }
  for (uint32_t type = LB_FIRST_HOST_TYPE; type < state->type_count; type++) {
    const char *name = state->type_names[type] + strlen("lacuna.");
    if (strlen(name) == count && strncmp(name, word, count) == 0) {
      out->types |= 1u << type;
      return true;
    }
  }
  return false;
}

bool lb_parse_signature(lb_state *state, const char *text, lb_function *out) {
  while (*text == ' ') text++;
  while (*text != 0) {
    if (strncmp(text, "...", 3) == 0) {
      out->variadic = true;
      return text[3] == 0;
    }
    if (out->parameter_count == LB_MAX_ARGUMENTS) return false;
    lb_parameter *parameter = &out->parameters[out->parameter_count++];
    for (;;) {
      size_t count = strcspn(text, "|,?& ");
      if (!lb_parse_word(state, text, count, parameter)) return false;
      text += count;
      if (*text != '|') break;
      text++;
    }
    for (; *text == '?' || *text == '&'; text++) {
      if (*text == '?') parameter->optional = true;
      else parameter->held = true;
    }
    while (*text == ' ') text++;
    if (*text == ',') text++;
    else if (*text != 0) return false;
    while (*text == ' ') text++;
  }
  return true;
}

// "string or table", on the stack.
static const char *lb_expectation(lua_State *L, const lb_parameter *parameter) {
  lb_state *state = lb_of(L);
  lua_pushliteral(L, "");
  for (size_t i = 0; i < sizeof lb_words / sizeof *lb_words; i++) {
    if ((parameter->kinds & lb_words[i].kinds) == 0 && (parameter->types & lb_words[i].types) == 0) continue;
    lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1), lua_rawlen(L, -1) ? " or " : "", lb_words[i].word);
    lua_remove(L, -2);
  }
  for (uint32_t type = LB_FIRST_HOST_TYPE; type < state->type_count; type++) {
    if ((parameter->types & (1u << type)) == 0) continue;
    lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1), lua_rawlen(L, -1) ? " or " : "", state->type_names[type]);
    lua_remove(L, -2);
  }
  return lua_tostring(L, -1);
}

static bool lb_accepts(lua_State *L, int index, const lb_parameter *parameter) {
  switch (lua_type(L, index)) {
  case LUA_TNONE:
  case LUA_TNIL: return parameter->optional || (parameter->kinds & (1u << LB_NIL)) != 0;
  case LUA_TBOOLEAN: return (parameter->kinds & (1u << LB_BOOL)) != 0;
  case LUA_TNUMBER: return (parameter->kinds & (1u << LB_NUMBER | 1u << LB_INTEGER)) != 0;
  case LUA_TSTRING: return (parameter->kinds & (1u << LB_STRING)) != 0;
  case LUA_TFUNCTION: return (parameter->kinds & (1u << LB_FUNCTION)) != 0;
  case LUA_TTABLE: return (parameter->kinds & (1u << LB_TABLE)) != 0;
  case LUA_TUSERDATA: {
    uint32_t type = lb_type_at(L, index);
    return type != LB_TYPE_NONE && (parameter->types & (1u << type)) != 0;
  }
  default: return false;
  }
}

void lb_check_arguments(lua_State *L, const lb_function *function) {
  lb_state *state = lb_of(L);
  for (int i = 0; i < function->parameter_count; i++) {
    const lb_parameter *parameter = &function->parameters[i];
    int index = i + 1;
    bool any = (parameter->kinds & (1u << LB_ANY)) != 0 && (!lua_isnone(L, index) || parameter->optional);
    if (!any && !lb_accepts(L, index, parameter))
      lb_raise_type(L, index, function->name, lb_expectation(L, parameter));
    bool wants_integer = (parameter->kinds & (1u << LB_INTEGER)) && !(parameter->kinds & (1u << LB_NUMBER));
    if (wants_integer && lua_type(L, index) == LUA_TNUMBER && !lua_isinteger(L, index)) {
      int exact;
      lua_Integer value = lua_tointegerx(L, index, &exact);
      if (!exact) lb_raise_argument(L, index, function->name, "number has no integer representation");
      lua_pushinteger(L, value);
      lua_replace(L, index);
    }
    uint32_t type = lb_type_at(L, index);
    if (type >= LB_FIRST_HOST_TYPE && lb_handle_object(L, index) == NULL)
      lb_raise(
        L, "closed", "attempt to use a closed %s ('%s')", state->type_names[type] + strlen("lacuna."),
        function->name);
  }
}
