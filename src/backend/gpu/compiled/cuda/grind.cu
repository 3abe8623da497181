#include "kernels/grind.h"
