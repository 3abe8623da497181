// libdispatch's data, which only libraries that Apple's compiler made ahead of time come in: there are none here.
#include <dispatch/dispatch.h>

#include "object.hpp"

dispatch_data_t dispatch_data_create(const void*, unsigned long, dispatch_queue_t, void*) {
    fake_metal::misuse("a compiled library is loaded");
}

void dispatch_release(dispatch_data_t) {}
