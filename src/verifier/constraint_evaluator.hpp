// An AIR's expressions at the opening point.
#pragma once

#include <span>
#include <vector>

#include "poly/prismalinear.hpp"
#include "verifier/context.hpp"

namespace whorl::verifier {

/// Values of all nodes of trace `trace`'s AIR, from its column openings, its public values and the row selectors.
std::vector<Fp4> evaluate_nodes(const Context& context, std::uint32_t trace, const RowSelectors& selectors);

}  // namespace whorl::verifier
