// A program that links this ends with kMisuseExitCode where Metal objects are left at its end.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "fake/fake_metal.hpp"

namespace {

void check_live_objects() {
    std::map<std::string, int> left;
    for (const std::string& name : fake_metal::live_objects()) ++left[name];
    if (left.empty()) return;
    for (const auto& [name, count] : left)
        std::fprintf(stderr, "fake-metal: %d %s never released\n", count, name.c_str());
    std::_Exit(fake_metal::kMisuseExitCode);
}

// Before all others that are made when they are first needed, so that it runs after they are destroyed.
[[maybe_unused]] const int kRegistered = std::atexit(check_live_objects);

}  // namespace
