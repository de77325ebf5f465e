// The system's Lua 5.4, found through pkg-config (lua5.4).
#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
