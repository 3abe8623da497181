#include "kernels/mle.h"
