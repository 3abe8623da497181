// What metal-cpp needs of IOSurface.
#pragma once

typedef struct __IOSurface* IOSurfaceRef;
