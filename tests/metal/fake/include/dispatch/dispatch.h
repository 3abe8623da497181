// What metal-cpp and host code for Metal need of libdispatch.
#pragma once

typedef struct dispatch_queue_s* dispatch_queue_t;
typedef struct dispatch_data_s* dispatch_data_t;

#define DISPATCH_DATA_DESTRUCTOR_DEFAULT nullptr
extern "C" dispatch_data_t dispatch_data_create(const void* bytes, unsigned long size, dispatch_queue_t queue,
                                                void* destructor);
extern "C" void dispatch_release(dispatch_data_t data);
