#include "kernels/sponge.h"
