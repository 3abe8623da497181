// All kernels: what a runtime's table is made of.
#ifndef WHORL_KERNELS_ALL_H
#define WHORL_KERNELS_ALL_H

#include "kernels/gkr_params.h"
#include "kernels/grind_params.h"
#include "kernels/leaves_params.h"
#include "kernels/merkle_params.h"
#include "kernels/message_params.h"
#include "kernels/mle_params.h"
#include "kernels/ntt_params.h"
#include "kernels/round0_params.h"
#include "kernels/sponge_params.h"
#include "kernels/stacking_params.h"
#include "kernels/vectors_params.h"
#include "kernels/whir_params.h"

#define WH_ALL_KERNELS(X)  \
    WH_GKR_KERNELS(X)      \
    WH_GRIND_KERNELS(X)    \
    WH_LEAVES_KERNELS(X)   \
    WH_MERKLE_KERNELS(X)   \
    WH_MESSAGE_KERNELS(X)  \
    WH_MLE_KERNELS(X)      \
    WH_NTT_KERNELS(X)      \
    WH_ROUND0_KERNELS(X)   \
    WH_SPONGE_KERNELS(X)   \
    WH_STACKING_KERNELS(X) \
    WH_VECTORS_KERNELS(X)  \
    WH_WHIR_KERNELS(X)

#endif
