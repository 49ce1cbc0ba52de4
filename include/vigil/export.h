/* What libvigil exports: everything else in it is hidden, and so are the insides of what it exports. For C
 * and C++. */
#pragma once

#if defined(__GNUC__) && !defined(_WIN32)
#define VIGIL_API __attribute__((visibility("default")))
#define VIGIL_HIDDEN __attribute__((visibility("hidden")))
#else
#define VIGIL_API
#define VIGIL_HIDDEN
#endif
