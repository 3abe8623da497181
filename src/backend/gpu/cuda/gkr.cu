#include "kernels/gkr.h"
