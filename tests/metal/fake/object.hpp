// Objective-C objects for metal-cpp: classes with methods by selector, reference counts, autorelease pools. A message to a
// dead object, a release too many or a selector that is not there ends the process.
//
// A class is a C++ class; its methods are member functions, registered under their selectors. Arguments and results that
// are pointers to classes derived from Object are checked and may be constant strings.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fake_metal {

/// A use of Metal that its validation layer would report: prints "fake-metal: …" and ends the process with exit code 99.
[[noreturn]] void misuse(const std::string& what);
template <class... Args>
[[noreturn]] void misuse(fmt::format_string<Args...> format, Args&&... args) {
    misuse(fmt::format(format, std::forward<Args>(args)...));
}

using Selector = const char*;  // equal names have equal addresses
using Method = void (*)();     // as objc_msgSend's caller casts it: self, selector, arguments

Selector selector(const char* name);

class Class {
public:
    Class(std::string name, const Class* base) : name_(std::move(name)), base_(base) {}
    const std::string& name() const { return name_; }

    /// A method of objects: add<&Buffer::length>("length").
    template <auto kMember>
    Class& add(const char* name);
    /// A method of the class itself: a function that takes no self.
    template <auto kFunction>
    Class& add_static(const char* name);

    /// Null where there is none.
    Method find(Selector selector) const;
    Method find_static(Selector selector) const;

private:
    std::string name_;
    const Class* base_;
    std::map<Selector, Method> methods_, static_methods_;
};

/// The class of a name, made on first use; all but NSObject derive from NSObject.
Class& class_named(const std::string& name);

class Object {
public:
    /// The new object has one reference, its maker's.
    explicit Object(const char* class_name);
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    virtual ~Object() = default;

    const Class& object_class() const { return class_; }
    Object* retain();
    void release();
    Object* autorelease();
    Object* init() { return this; }
    std::size_t retain_count() const { return references_; }
    bool responds_to(Selector selector) const { return class_.find(selector) != nullptr; }
    /// Not one of live_objects(): a part of the system, which nobody releases.
    void make_immortal();

private:
    const Class& class_;
    std::size_t references_ = 1;
};

/// The object that a pointer from outside means, null for nil. A dead object or none at all is misuse.
Object* resolve(const void* pointer);
template <class T>
T* resolve_as(const void* pointer) {
    Object* object = resolve(pointer);
    T* typed = dynamic_cast<T*>(object);
    if (object != nullptr && typed == nullptr) misuse("an argument is a {}", object->object_class().name());
    return typed;
}

/// Misuse where committed work still uses an object that dies: called by those that command buffers use.
void check_unused(const Object& object);

template <class T>
T* autoreleased(T* object) {
    object->autorelease();
    return object;
}

/// A counted reference of the runtime's own.
template <class T>
class Ref {
public:
    Ref() = default;
    explicit Ref(T* object) : object_(object) {
        if (object_ != nullptr) object_->retain();
    }
    Ref(const Ref& other) : Ref(other.object_) {}
    Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() {
        if (object_ != nullptr) object_->release();
    }
    T* get() const { return object_; }
    T* operator->() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

private:
    T* object_ = nullptr;
};

/// A counted reference in place of the maker's.
template <class T>
Ref<T> owned(std::type_identity_t<T>* object) {
    Ref<T> ref(object);
    object->release();
    return ref;
}

namespace detail {

template <class T>
concept ObjectPointer = std::is_pointer_v<T> && std::is_base_of_v<Object, std::remove_cv_t<std::remove_pointer_t<T>>>;

template <class T>
T from_outside(std::conditional_t<ObjectPointer<T>, const void*, T> raw) {
    if constexpr (ObjectPointer<T>) {
        return resolve_as<std::remove_pointer_t<T>>(raw);
    } else {
        return raw;
    }
}
template <class T>
using Raw = std::conditional_t<ObjectPointer<T>, const void*, T>;

template <auto kMember, class Member>
struct MethodOf;
template <auto kMember, class R, class T, class... Args>
struct MethodOf<kMember, R (T::*)(Args...)> {
    static R call(T* self, Selector, Raw<Args>... args) { return (self->*kMember)(from_outside<Args>(args)...); }
};
template <auto kMember, class R, class T, class... Args>
struct MethodOf<kMember, R (T::*)(Args...) const> {
    static R call(T* self, Selector, Raw<Args>... args) { return (self->*kMember)(from_outside<Args>(args)...); }
};
template <auto kMember, class R, class... Args>
struct MethodOf<kMember, R (*)(Args...)> {
    static R call(Class*, Selector, Raw<Args>... args) { return kMember(from_outside<Args>(args)...); }
};

}  // namespace detail

template <auto kMember>
Class& Class::add(const char* name) {
    methods_[selector(name)] = reinterpret_cast<Method>(&detail::MethodOf<kMember, decltype(kMember)>::call);
    return *this;
}
template <auto kFunction>
Class& Class::add_static(const char* name) {
    static_methods_[selector(name)] = reinterpret_cast<Method>(&detail::MethodOf<kFunction, decltype(kFunction)>::call);
    return *this;
}

/// A static method that makes an object: add_static<&make<CompileOptions>>("alloc").
template <class T>
T* make() {
    return new T;
}

// Each file's classes; the first message or look-up calls them all.
void register_foundation();
void register_library();
void register_commands();
void register_device();
void register_capture();

}  // namespace fake_metal
