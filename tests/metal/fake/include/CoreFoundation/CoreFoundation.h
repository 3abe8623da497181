// What metal-cpp needs of CoreFoundation.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef double CFTimeInterval;
typedef const struct __CFString* CFStringRef;

#ifdef __cplusplus
extern "C"
#endif
    CFStringRef
    __CFStringMakeConstantString(const char* text);
