// The system's zlib, found through pkg-config (zlib).
#include <zlib.h>
