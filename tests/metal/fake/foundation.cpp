#include "foundation.hpp"

#include <map>
#include <mutex>

// What the literals of a program point to; only its address counts.
extern "C" {
extern void* __CFConstantStringClassReference[];
void* __CFConstantStringClassReference[1] = {};
}

namespace {

/// What clang makes of a literal.
struct ConstantString {
    const void* isa;
    std::uint64_t flags;
    const char* text;
    std::uint64_t size;
};

constexpr std::uint64_t kFlags = 0x7C8;  // of eight-bit characters
#define FAKE_METAL_CONSTANT(text) {__CFConstantStringClassReference, kFlags, text, sizeof(text) - 1}

const ConstantString kCocoaErrorDomain = FAKE_METAL_CONSTANT("NSCocoaErrorDomain");
const ConstantString kDescriptionKey = FAKE_METAL_CONSTANT("NSLocalizedDescription");
const ConstantString kEncoderInfoKey = FAKE_METAL_CONSTANT("MTLCommandBufferEncoderInfoErrorKey");

}  // namespace

// NOLINTBEGIN(readability-identifier-naming)
// metal-cpp looks for these by name when the program starts.
extern "C" {
extern const void* const NSCocoaErrorDomain;
extern const void* const NSLocalizedDescriptionKey;
extern const void* const MTLCommandBufferEncoderInfoErrorKey;
const void* const NSCocoaErrorDomain = &kCocoaErrorDomain;
const void* const NSLocalizedDescriptionKey = &kDescriptionKey;
const void* const MTLCommandBufferEncoderInfoErrorKey = &kEncoderInfoKey;
}
// NOLINTEND(readability-identifier-naming)

namespace fake_metal {
namespace {

constexpr std::uint64_t kUtf8 = 4, kAscii = 1;  // encodings

class ProcessInfo final : public Object {
public:
    ProcessInfo() : Object("NSProcessInfo") { make_immortal(); }
    String* version() const { return make_string("Version 14.0 (Fake Metal)"); }
};

ProcessInfo* process_info() {
    static auto* instance = new ProcessInfo;
    return instance;
}

String* string_with_characters(const char* text, std::uint64_t encoding) {
    if (text == nullptr) misuse("NSString of a null pointer");
    if (encoding != kUtf8 && encoding != kAscii) misuse("NSString in encoding {}", encoding);
    return make_string(text);
}
Url* url_of_file(const String* path) {
    return autoreleased(new Url(text_of(path)));
}

}  // namespace

String* make_string(std::string text) {
    return autoreleased(new String(std::move(text)));
}

std::string text_of(const String* string) {
    return string != nullptr ? string->text() : std::string();
}

String* find_constant_string(const void* pointer) {
    static std::mutex mutex;
    static auto* strings = new std::map<const void*, String*>;
    const auto* constant = static_cast<const ConstantString*>(pointer);
    const std::lock_guard lock(mutex);
    String*& string = (*strings)[pointer];
    if (string == nullptr) {
        if (constant->isa != __CFConstantStringClassReference) {
            strings->erase(pointer);
            return nullptr;
        }
        string = new String(std::string(constant->text, constant->size));
        string->make_immortal();
    }
    return string;
}

Object* Array::object_at(std::size_t index) const {
    if (index >= objects_.size()) misuse("object {} of an NSArray of {}", index, objects_.size());
    return objects_[index].get();
}

Object* Dictionary::object_for(const String* key) const {
    for (const auto& [name, object] : entries_) {
        if (key != nullptr && name->text() == key->text()) return object.get();
    }
    return nullptr;
}

Error::Error(std::string domain, std::int64_t code, const std::string& description, Dictionary::Entries user_info)
    : Object("NSError"), domain_(std::move(domain)), code_(code) {
    user_info.emplace_back(find_constant_string(&kDescriptionKey), owned<Object>(new String(description)));
    user_info_ = owned<Dictionary>(new Dictionary(std::move(user_info)));
}

String* Error::description() const {
    return dynamic_cast<String*>(user_info_->object_for(find_constant_string(&kDescriptionKey)));
}

void report(Object** error, std::string domain, std::int64_t code, const std::string& description) {
    if (error != nullptr) *error = autoreleased(new Error(std::move(domain), code, description));
}

String* encoder_info_key() {
    return find_constant_string(&kEncoderInfoKey);
}

void register_foundation() {
    class_named("NSString")
        .add_static<&string_with_characters>("stringWithCString:encoding:")
        .add<&String::utf8>("UTF8String")
        .add<&String::utf8>("fileSystemRepresentation");
    class_named("NSArray").add<&Array::count>("count").add<&Array::object_at>("objectAtIndex:");
    class_named("NSDictionary").add<&Dictionary::count>("count").add<&Dictionary::object_for>("objectForKey:");
    class_named("NSError")
        .add<&Error::domain>("domain")
        .add<&Error::code>("code")
        .add<&Error::description>("localizedDescription")
        .add<&Error::user_info>("userInfo");
    class_named("NSURL")
        .add_static<&url_of_file>("fileURLWithPath:")
        .add<&Url::file_system_path>("fileSystemRepresentation");
    class_named("NSProcessInfo")
        .add_static<&process_info>("processInfo")
        .add<&ProcessInfo::version>("operatingSystemVersionString");
}

}  // namespace fake_metal
