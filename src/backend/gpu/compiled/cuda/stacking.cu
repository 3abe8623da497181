#include "kernels/stacking.h"
