// Handles of whorl/whorl.h that free what they hold.
#pragma once

#include <whorl/whorl.h>

#include <memory>

namespace whorl::test {

template <auto kFree>
struct Free {
    template <class T>
    void operator()(T* handle) const {
        kFree(handle);
    }
};
using ErrorHandle = std::unique_ptr<whorl_error, Free<whorl_error_free>>;
using KeyHandle = std::unique_ptr<whorl_key, Free<whorl_key_free>>;
using ProofHandle = std::unique_ptr<whorl_proof, Free<whorl_proof_free>>;
using ParamsHandle = std::unique_ptr<whorl_params, Free<whorl_params_free>>;
using StatementHandle = std::unique_ptr<whorl_statement, Free<whorl_statement_free>>;

}  // namespace whorl::test
