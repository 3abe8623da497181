#include "kernels/message.h"
