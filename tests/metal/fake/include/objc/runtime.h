// What metal-cpp needs of the Objective-C runtime, which ../../object.cpp provides.
#pragma once

#include <cstddef>
#include <cstdint>

#define OBJC_BOOL_IS_BOOL 1

typedef const struct objc_selector* SEL;
struct objc_object {
    void* isa;
};

extern "C" {
void* objc_lookUpClass(const char* name);
void* objc_getProtocol(const char* name);
SEL sel_registerName(const char* name);
}
