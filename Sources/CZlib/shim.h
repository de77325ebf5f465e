// Two functions of the system's zlib. They are declared here, as zlib.h has them, because including it would make this module the
// owner of system types that come with it (pthread_attr_t among them), which others could then not use without importing it.

/// An upper bound on what `compress` writes for so many bytes.
unsigned long compressBound(unsigned long sourceLen);

/// Compresses at the default level. *destLen is the room, then the size. 0 on success.
int compress(unsigned char *dest, unsigned long *destLen, const unsigned char *source, unsigned long sourceLen);
