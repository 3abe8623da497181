#include "backend/gpu/resident.hpp"

#include <algorithm>

#include "machine/poison.hpp"

namespace whorl::gpu {
namespace {

std::uint64_t code_bytes(const CommittedMatrix::State& committed) {
    return 4 * committed.stacking_width * codeword_stride(committed.params.log_codeword_height());
}

std::uint64_t tree_bytes(const SystemParams& params) {
    return 4 * MerkleTree::num_node_words(params.log_codeword_height(), params.whir.k);
}

}  // namespace

bool ResidentPart::fits(const Device& device, const CommittedMatrix::State& committed) {
    const std::uint64_t code = code_bytes(committed), tree = tree_bytes(committed.params);
    const std::uint64_t columns = device.info().is_unified ? 0 : committed.matrix.values().size_bytes();
    const std::uint64_t max_buffer = device.info().max_buffer;
    if (max_buffer != 0 && std::max(code, tree) > max_buffer) return false;
    return code + tree + columns <= device.runtime().free_memory();
}

ResidentPart::ResidentPart(Device& device, CommittedMatrix::State& committed)
    : device_(device),
      committed_(committed.shared_from_this()),
      layout_(stack_layout(committed.params, committed.matrix)) {
    try {
        commit();
    } catch (...) {
        release();
        throw;
    }
}

ResidentPart::~ResidentPart() {
    release();
}

void ResidentPart::release() {
    for (const Address address : bound_) device_.runtime().unbind(address);
    for (const Block& block : blocks_) device_.runtime().release(block);
}

Address ResidentPart::take(std::uint64_t bytes) {
    blocks_.push_back(device_.runtime().allocate(bytes));
    device_.count_scratch_allocation(bytes);
    bound_.push_back(device_.runtime().bind(blocks_.back(), 0, bytes));
    if (const auto byte = poison()) device_.recorder().fill(bound_.back(), bytes, *byte);
    return bound_.back();
}

void ResidentPart::commit() {
    const SystemParams& params = committed_->params;
    const unsigned log_rows = params.log_codeword_height();
    Recorder& recorder = device_.recorder();
    code_ = {take(code_bytes(*committed_)), codeword_stride(log_rows), 1, layout_.width};
    tree_.emplace(take(tree_bytes(params)), log_rows, params.whir.k);
    columns_ = bring_columns(device_.info(), committed_->matrix, [&](const void* words, std::uint64_t bytes) {
        if (device_.info().is_unified) {
            bound_.push_back(device_.runtime().wrap(words, bytes));
            return bound_.back();
        }
        const Address address = take(bytes);
        recorder.next_stage();
        recorder.upload_to(address, words, bytes);
        return address;
    });
    recorder.submit_and_wait(0);
    root_ = device_.plan_and_run([&] {
        const NttRoots roots(device_, log_rows, NttDirection::kForward);
        recorder.next_stage();
        const StackedEncoder encoder(recorder, roots, params);
        const Buffer state = device_.arena().take_words("row_hashes", tree_->num_state_words());
        const ColumnGroup all{0, layout_.width};
        tree_->record_rows(recorder, encoder.record({&layout_, {&columns_}}, all, code_.address), state.address(), true,
                           true);
        const Mailbox<Digest> root = tree_->record_layers(recorder, state.address());
        recorder.submit_and_wait(1 + encoder.num_kernels(all) + 1 + tree_->num_layer_kernels());
        return root[0];
    });
}

const ResidentPart& Residents::make(CommittedMatrix::State& committed) {
    std::unique_ptr<const ResidentPart>& part = parts_[&committed];
    if (part == nullptr) {
        try {
            part = std::make_unique<const ResidentPart>(device_, committed);
        } catch (...) {
            parts_.erase(&committed);
            throw;
        }
    }
    return *part;
}

void Residents::prepare(const ProverInput& input) {
    std::erase_if(parts_, [](const auto& entry) { return entry.second->is_last_owner(); });
    for (const CommitmentLayout& commitment : input.layout.commitments) {
        const CommittedMatrix* committed = input.committed(commitment.parts[0]);
        if (committed == nullptr || find(committed) != nullptr) continue;
        if (ResidentPart::fits(device_, *committed->state())) make(*committed->state());
    }
}

const ResidentPart* Residents::find(const CommittedMatrix* committed) const {
    if (committed == nullptr) return nullptr;
    const auto found = parts_.find(committed->state());
    return found == parts_.end() ? nullptr : found->second.get();
}

}  // namespace whorl::gpu
