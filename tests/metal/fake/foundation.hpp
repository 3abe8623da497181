// The part of Foundation that programs on Metal meet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "object.hpp"

namespace fake_metal {

class String final : public Object {
public:
    explicit String(std::string text) : Object("NSString"), text_(std::move(text)) {}
    const std::string& text() const { return text_; }
    const char* utf8() const { return text_.c_str(); }

private:
    std::string text_;
};

/// The autoreleased string.
String* make_string(std::string text);
/// The text, empty for nil.
std::string text_of(const String* string);
/// The string that a literal of the program (MTLSTR) stands for, null where the pointer is no such literal.
String* find_constant_string(const void* pointer);

class Array final : public Object {
public:
    explicit Array(std::vector<Ref<Object>> objects) : Object("NSArray"), objects_(std::move(objects)) {}
    std::size_t count() const { return objects_.size(); }
    Object* object_at(std::size_t index) const;

private:
    std::vector<Ref<Object>> objects_;
};

/// Keys are strings.
class Dictionary final : public Object {
public:
    using Entries = std::vector<std::pair<Ref<String>, Ref<Object>>>;
    explicit Dictionary(Entries entries) : Object("NSDictionary"), entries_(std::move(entries)) {}
    std::size_t count() const { return entries_.size(); }
    Object* object_for(const String* key) const;

private:
    Entries entries_;
};

class Error final : public Object {
public:
    Error(std::string domain, std::int64_t code, const std::string& description, Dictionary::Entries user_info = {});
    String* domain() const { return make_string(domain_); }
    std::int64_t code() const { return code_; }
    String* description() const;
    Dictionary* user_info() const { return user_info_.get(); }

private:
    std::string domain_;
    std::int64_t code_;
    Ref<Dictionary> user_info_;
};

/// Stores an autoreleased error where the caller wants one.
void report(Object** error, std::string domain, std::int64_t code, const std::string& description);

class Url final : public Object {
public:
    explicit Url(std::string path) : Object("NSURL"), path_(std::move(path)) {}
    const std::string& path() const { return path_; }
    const char* file_system_path() const { return path_.c_str(); }

private:
    std::string path_;
};

/// The key of the encoders' states in a command buffer's error.
String* encoder_info_key();

}  // namespace fake_metal
