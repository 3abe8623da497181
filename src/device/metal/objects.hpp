// Objective-C objects in C++: who owns them, and their texts.
#pragma once

#include <Foundation/Foundation.hpp>
#include <Metal/Metal.hpp>

#include <string>
#include <string_view>

namespace whorl::gpu::metal {

/// Owns an object.
template <class T>
using Ref = NS::SharedPtr<T>;

/// What is autoreleased while it exists goes with it.
class AutoreleasePool {
public:
    AutoreleasePool() : pool_(NS::AutoreleasePool::alloc()->init()) {}
    ~AutoreleasePool() { pool_->release(); }
    AutoreleasePool(const AutoreleasePool&) = delete;
    AutoreleasePool& operator=(const AutoreleasePool&) = delete;

private:
    NS::AutoreleasePool* pool_;
};

/// Autoreleased.
inline NS::String* ns_string(const std::string& text) {
    return NS::String::string(text.c_str(), NS::UTF8StringEncoding);
}
inline std::string text_of(const NS::String* text) {
    return text != nullptr ? text->utf8String() : "";
}
inline std::string text_of(const NS::Error* error) {
    return error != nullptr ? text_of(error->localizedDescription()) : "Metal gives no reason";
}

}  // namespace whorl::gpu::metal
