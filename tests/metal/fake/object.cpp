#include "object.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

#include "fake_metal.hpp"
#include "foundation.hpp"

namespace fake_metal {
namespace {

/// Every object there is, and the last ones that died.
class Registry {
public:
    void add(Object* object) {
        const std::lock_guard lock(mutex_);
        live_.insert(object);
        dead_.erase(object);
    }
    void remove(Object* object) {
        const std::lock_guard lock(mutex_);
        live_.erase(object);
        dead_[object] = object->object_class().name();
    }
    void make_immortal(Object* object) {
        const std::lock_guard lock(mutex_);
        immortal_.insert(object);
        live_.erase(object);
    }
    /// Also true of immortal objects.
    bool is_live(const void* pointer) {
        const std::lock_guard lock(mutex_);
        auto* object = static_cast<Object*>(const_cast<void*>(pointer));
        return live_.contains(object) || immortal_.contains(object);
    }
    bool is_immortal(const Object* object) {
        const std::lock_guard lock(mutex_);
        return immortal_.contains(const_cast<Object*>(object));
    }
    bool is_dead(const void* pointer) {
        const std::lock_guard lock(mutex_);
        return dead_.contains(pointer);
    }
    std::string name_of_dead(const void* pointer) {
        const std::lock_guard lock(mutex_);
        const auto at = dead_.find(pointer);
        return at == dead_.end() ? "something that is no object" : "a dead " + at->second;
    }
    std::vector<std::string> live() {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> names;
        for (const Object* object : live_) names.push_back(object->object_class().name());
        return names;
    }

private:
    std::mutex mutex_;
    std::set<Object*> live_, immortal_;
    std::unordered_map<const void*, std::string> dead_;  // until their memory is used again
};

Registry& registry() {
    static auto* instance = new Registry;  // outlives all static objects
    return *instance;
}

struct ClassTable {
    std::mutex mutex;
    std::map<std::string, std::unique_ptr<Class>> by_name;
    std::set<const void*> all;
};
ClassTable& classes() {
    static auto* table = new ClassTable;
    return *table;
}

bool is_class(const void* pointer) {
    ClassTable& table = classes();
    const std::lock_guard lock(table.mutex);
    return table.all.contains(pointer);
}

class AutoreleasePool;
thread_local std::vector<AutoreleasePool*> pools;  // the innermost last

class AutoreleasePool final : public Object {
public:
    AutoreleasePool() : Object("NSAutoreleasePool") { pools.push_back(this); }
    ~AutoreleasePool() override {
        if (pools.empty() || pools.back() != this) misuse("an NSAutoreleasePool is released that is not the innermost");
        for (Object* object : std::exchange(objects_, {})) object->release();
        pools.pop_back();
    }
    void add(Object* object) { objects_.push_back(object); }

private:
    std::vector<Object*> objects_;
};

void register_object() {
    class_named("NSObject")
        .add<&Object::retain>("retain")
        .add<&Object::release>("release")
        .add<&Object::autorelease>("autorelease")
        .add<&Object::retain_count>("retainCount")
        .add<&Object::retain>("copy")  // what can be copied does not change after that
        .add<&Object::init>("init")
        .add<&Object::responds_to>("respondsToSelector:");
    class_named("NSAutoreleasePool").add_static<&make<AutoreleasePool>>("alloc").add<&Object::release>("drain");
}

void register_classes() {
    static std::once_flag once;
    std::call_once(once, [] {
        register_object();
        register_foundation();
        register_library();
        register_commands();
        register_device();
        register_capture();
    });
}

}  // namespace

void misuse(const std::string& what) {
    std::fprintf(stderr, "fake-metal: %s\n", what.c_str());
    std::fflush(nullptr);
    std::_Exit(kMisuseExitCode);
}

Selector selector(const char* name) {
    static std::mutex mutex;
    static auto* names = new std::set<std::string>;
    const std::lock_guard lock(mutex);
    return names->insert(name).first->c_str();
}

Method Class::find(Selector selector) const {
    const auto at = methods_.find(selector);
    if (at != methods_.end()) return at->second;
    return base_ != nullptr ? base_->find(selector) : nullptr;
}
Method Class::find_static(Selector selector) const {
    const auto at = static_methods_.find(selector);
    return at != static_methods_.end() ? at->second : nullptr;
}

Class& class_named(const std::string& name) {
    const Class* base = name == "NSObject" ? nullptr : &class_named("NSObject");
    ClassTable& table = classes();
    const std::lock_guard lock(table.mutex);
    std::unique_ptr<Class>& entry = table.by_name[name];
    if (!entry) {
        entry = std::make_unique<Class>(name, base);
        table.all.insert(entry.get());
    }
    return *entry;
}

Object::Object(const char* class_name) : class_(class_named(class_name)) {
    registry().add(this);
}

// Counts are guarded by one lock: releases come from the thread that waits for the device, too.
namespace {
std::mutex& count_mutex() {
    static auto* mutex = new std::mutex;
    return *mutex;
}
}  // namespace

Object* Object::retain() {
    const std::lock_guard lock(count_mutex());
    ++references_;
    return this;
}

void Object::release() {
    if (!registry().is_live(this)) misuse("release of {}", registry().name_of_dead(this));
    if (registry().is_immortal(this)) return;
    {
        const std::lock_guard lock(count_mutex());
        if (--references_ != 0) return;
    }
    registry().remove(this);
    delete this;
}

Object* Object::autorelease() {
    if (pools.empty()) misuse("autorelease of a {} without an NSAutoreleasePool", class_.name());
    pools.back()->add(this);
    return this;
}

void Object::make_immortal() {
    registry().make_immortal(this);
}

namespace {
/// Null where the pointer, which is not null, is to no object that lives.
Object* find_object(const void* pointer) {
    if (registry().is_live(pointer)) return static_cast<Object*>(const_cast<void*>(pointer));
    return registry().is_dead(pointer) ? nullptr : find_constant_string(pointer);
}
}  // namespace

Object* resolve(const void* pointer) {
    if (pointer == nullptr) return nullptr;
    Object* object = find_object(pointer);
    if (object == nullptr) misuse("an argument is {}", registry().name_of_dead(pointer));
    return object;
}

std::vector<std::string> live_objects() {
    return registry().live();
}

namespace {

/// Where a message goes: what objc_msgSend puts in place of its receiver, and the function it jumps to.
struct Target {
    void* receiver;
    Method method;
};

std::uint64_t answer_of_nil() {
    return 0;
}

}  // namespace

// Called by the trampolines below, which keep all other arguments.
extern "C" __attribute__((used)) Target fake_metal_find_target(void* receiver, Selector name) {
    register_classes();
    if (receiver == nullptr) return {nullptr, reinterpret_cast<Method>(&answer_of_nil)};
    Method method;
    std::string class_name;
    if (is_class(receiver)) {
        const auto* metaclass = static_cast<const Class*>(receiver);
        method = metaclass->find_static(name);
        class_name = metaclass->name();
    } else {
        Object* object = find_object(receiver);
        if (object == nullptr) misuse("message '{}' to {}", name, registry().name_of_dead(receiver));
        receiver = object;
        method = object->object_class().find(name);
        class_name = object->object_class().name();
    }
    if (method == nullptr) misuse("{} does not understand '{}'", class_name, name);
    return {receiver, method};
}

}  // namespace fake_metal

// Apple's names.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

void* objc_lookUpClass(const char* name) {
    fake_metal::register_classes();
    return &fake_metal::class_named(name);
}
void* objc_getProtocol(const char* name) {
    return objc_lookUpClass(name);
}
fake_metal::Selector sel_registerName(const char* name) {
    return fake_metal::selector(name);
}

// Handlers that programs give to Metal are blocks, and nothing here takes one.
void* _NSConcreteStackBlock[32] = {};
void _Block_object_assign(void*, const void*, int) {
    fake_metal::misuse("blocks are not implemented");
}
void _Block_object_dispose(const void*, int) {
    fake_metal::misuse("blocks are not implemented");
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)

// Each trampoline keeps the registers that may hold arguments, asks for the target and jumps to it, so that arguments on the
// stack stay where they are. A structure is returned through a pointer that comes before the receiver.
__asm__(R"(
.macro FAKE_METAL_TRAMPOLINE name receiver selector
.globl \name
.type \name, @function
\name:
    .cfi_startproc
    pushq %rbp
    .cfi_def_cfa_offset 16
    .cfi_offset %rbp, -16
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %r8
    pushq %r9
    subq $128, %rsp
    movups %xmm0, 0(%rsp)
    movups %xmm1, 16(%rsp)
    movups %xmm2, 32(%rsp)
    movups %xmm3, 48(%rsp)
    movups %xmm4, 64(%rsp)
    movups %xmm5, 80(%rsp)
    movups %xmm6, 96(%rsp)
    movups %xmm7, 112(%rsp)
    movq \receiver, %r10
    movq \selector, %r11
    movq %r10, %rdi
    movq %r11, %rsi
    call fake_metal_find_target
    movq %rax, %r10
    movq %rdx, %r11
    movups 0(%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    movups 64(%rsp), %xmm4
    movups 80(%rsp), %xmm5
    movups 96(%rsp), %xmm6
    movups 112(%rsp), %xmm7
    addq $128, %rsp
    popq %r9
    popq %r8
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    popq %rbp
    .cfi_def_cfa %rsp, 8
    movq %r10, \receiver
    jmp *%r11
    .cfi_endproc
    .size \name, . - \name
.endm
.text
FAKE_METAL_TRAMPOLINE objc_msgSend, %rdi, %rsi
FAKE_METAL_TRAMPOLINE objc_msgSend_fpret, %rdi, %rsi
FAKE_METAL_TRAMPOLINE objc_msgSend_stret, %rsi, %rdx
)");
