#include "kernels/whir.h"
