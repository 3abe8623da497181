// check_params (whorl/params.hpp) for use inside the guard of a public call.
#pragma once

#include <string_view>

#include <whorl/error.hpp>
#include <whorl/params.hpp>

namespace whorl {

/// check_params, but lack of memory is thrown (std::bad_alloc), so that it cannot pass for a fault of the parameters.
Result<void> find_params_fault(const SystemParams& params);

/// What to do about it, for whoever chooses parameters.
inline constexpr std::string_view kParamsRemedy = "list_params and the presets give parameters that work";

}  // namespace whorl
