// Captures: a file that says that one was started.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "foundation.hpp"

namespace fake_metal {
namespace {

constexpr std::int64_t kToFile = 2;  // MTLCaptureDestinationGPUTraceDocument

class CaptureDescriptor final : public Object {
public:
    CaptureDescriptor() : Object("MTLCaptureDescriptor") {}
    void set_object(Object* object) { object_ = Ref(object); }
    void set_destination(std::int64_t destination) { destination_ = destination; }
    void set_url(Url* url) { url_ = Ref(url); }

    Object* object() const { return object_.get(); }
    std::int64_t destination() const { return destination_; }
    const Url* url() const { return url_.get(); }

private:
    Ref<Object> object_;
    std::int64_t destination_ = 1;
    Ref<Url> url_;
};

class CaptureManager final : public Object {
public:
    CaptureManager() : Object("MTLCaptureManager") { make_immortal(); }
    /// Files only where the variable that Metal looks for says so.
    bool supports(std::int64_t destination) const {
        const char* enabled = std::getenv("MTL_CAPTURE_ENABLED");
        return destination == kToFile && enabled != nullptr && std::string(enabled) == "1";
    }
    bool start(const CaptureDescriptor* descriptor, Object** error) {
        if (is_capturing_) misuse("startCapture while capturing");
        if (descriptor == nullptr || descriptor->object() == nullptr) misuse("startCapture of nothing");
        if (!supports(descriptor->destination())) return refuse(error, 1, "capturing is not supported");
        if (descriptor->url() == nullptr) return refuse(error, 3, "there is no URL");
        if (std::filesystem::exists(descriptor->url()->path())) return refuse(error, 3, "the file exists");
        std::ofstream file(descriptor->url()->path());
        file << "capture of a " << descriptor->object()->object_class().name() << '\n';
        if (!file.flush()) return refuse(error, 3, "cannot write " + descriptor->url()->path());
        is_capturing_ = true;
        return true;
    }
    void stop() {
        if (!is_capturing_) misuse("stopCapture without a capture");
        is_capturing_ = false;
    }
    bool is_capturing() const { return is_capturing_; }

private:
    static bool refuse(Object** error, std::int64_t code, const std::string& why) {
        report(error, "MTLCaptureError", code, why);
        return false;
    }
    bool is_capturing_ = false;
};

CaptureManager* shared_manager() {
    static auto* instance = new CaptureManager;
    return instance;
}

}  // namespace

void register_capture() {
    class_named("MTLCaptureDescriptor")
        .add_static<&make<CaptureDescriptor>>("alloc")
        .add<&CaptureDescriptor::set_object>("setCaptureObject:")
        .add<&CaptureDescriptor::set_destination>("setDestination:")
        .add<&CaptureDescriptor::set_url>("setOutputURL:");
    class_named("MTLCaptureManager")
        .add_static<&shared_manager>("sharedCaptureManager")
        .add<&CaptureManager::supports>("supportsDestination:")
        .add<&CaptureManager::start>("startCaptureWithDescriptor:error:")
        .add<&CaptureManager::stop>("stopCapture")
        .add<&CaptureManager::is_capturing>("isCapturing");
}

}  // namespace fake_metal
