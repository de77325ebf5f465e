#define _GNU_SOURCE
#include "CTestSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int ct_open_terminal(int *own, int *theirs) {
  *own = posix_openpt(O_RDWR | O_NOCTTY);
  if (*own < 0) return errno;
  if (grantpt(*own) == 0 && unlockpt(*own) == 0) {
    const char *name = ptsname(*own);
    *theirs = name == NULL ? -1 : open(name, O_RDWR | O_NOCTTY);
    if (*theirs >= 0) return 0;
  }
  int error = errno;
  close(*own);
  return error;
}
